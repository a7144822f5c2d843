"""Locust's master for workers elsewhere: `python -m loadstone.workload.load_master HOST:PORT`.

It connects to the conductor, runs Locust's own `MasterRunner`, and carries messages
between the two. It sends no load and takes no figures; what Locust itself counts is
for its web UI alone.
"""

import locust  # isort: skip - first, as it patches the standard library

import logging
import os
import socket
import sys
from typing import Any

import gevent
from gevent.lock import BoundedSemaphore
from locust.env import Environment
from locust.exception import RPCError
from locust.runners import STATE_MISSING, MasterRunner

from loadstone.errors import MeasurementError
from loadstone.workload.bridge import (
    BRIDGE_DECODER,
    LOCUST_MESSAGE,
    EndWish,
    MasterOpen,
    Missing,
    OpenMaster,
    Relay,
    Show,
)
from loadstone.workload.load_web import Web
from loadstone.workload.protocol import Channel, Failed, Hello, Message, Stop

WATCH_S = 0.25
LAST_WORDS_S = 0.3
"""For messages to workers that are still on their way when the run ends."""
_KNOWN = {"client_ready", "heartbeat", "stats", "logs", "exception", "quit", "client_stopped", LOCUST_MESSAGE}
"""Messages that a worker of ours sends; strangers may send others, which would end Locust's listener."""


class Master:
    """Serves one conductor until it hangs up."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._sending = BoundedSemaphore()
        self._environment = Environment(user_classes=[])
        self._runner: MasterRunner | None = None
        self._web: Web | None = None
        self._ours: set[str] = set()

    def serve(self) -> None:
        """Do what the conductor says until it hangs up."""
        while True:
            message = self._channel.receive()
            if isinstance(message, Stop):
                return
            if isinstance(message, OpenMaster):
                self._send(self._open(message))
            elif isinstance(message, Relay) and self._runner is not None:
                self._runner.send_message(LOCUST_MESSAGE, message.body, client_id=message.worker)  # type: ignore[arg-type]  # whatever msgpack carries
            elif isinstance(message, Show) and self._web is not None:
                self._web.show(message.page)

    def close(self) -> None:
        """Let workers go."""
        gevent.sleep(LAST_WORDS_S)
        if self._runner is not None:
            self._runner.quit()

    def _open(self, order: OpenMaster) -> Message:
        try:
            self._runner = self._environment.create_master_runner(order.host, order.port)
        except (RPCError, SystemExit) as error:
            return Failed(
                problem=f"no master can listen on {order.host}:{order.port}",
                cause=str(error),
                remedy="name another port with --bind HOST:PORT",
            )
        self._guard(self._runner)
        self._runner.register_message(LOCUST_MESSAGE, self._on_message)
        gevent.spawn(self._watch, self._runner)
        url = ""
        if order.web_port is not None:
            self._web = Web(self._environment, order.title, lambda: self._send(EndWish()))
            try:
                url = self._web.start(order.web_port)
            except OSError as error:
                return Failed(
                    problem=f"the web UI cannot listen on 127.0.0.1:{order.web_port}",
                    cause=str(error),
                    remedy="name another port with --web-port",
                )
        return MasterOpen(port=self._runner.server.port, web_url=url)

    @staticmethod
    def _guard(runner: MasterRunner) -> None:
        """Keep Locust from what is not its business here: unknown messages, and starting users of its own."""
        handle: Any = runner.handle_message
        mine: Any = runner
        mine.handle_message = lambda node, message: handle(node, message) if message.type in _KNOWN else None
        mine.start = lambda *_args, **_kwargs: None

    def _on_message(self, msg: Any, **_: Any) -> None:  # noqa: ANN401 - Locust's keywords
        if isinstance(msg.data, bytes):
            self._ours.add(msg.node_id)
            self._send(Relay(worker=msg.node_id, body=msg.data))

    def _watch(self, runner: MasterRunner) -> None:
        """Tell of workers that Locust misses."""
        while True:
            gevent.sleep(WATCH_S)
            for name in sorted(self._ours):
                node = runner.clients.get(name)
                if node is None or node.state == STATE_MISSING:
                    self._ours.discard(name)
                    reason = "left" if node is None else "sends no heartbeat any more"
                    self._send(Missing(worker=name, reason=reason))

    def _send(self, message: Message) -> None:
        with self._sending:  # greenlets take turns: a large message is sent in pieces
            self._channel.send(message)


def main() -> int:
    """Connect to the conductor named by the argument and serve it."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    host, _, port = sys.argv[1].rpartition(":")
    channel = Channel(socket.create_connection((host, int(port)), timeout=10), BRIDGE_DECODER)
    channel.settimeout(None)
    channel.send(Hello(token=os.environ["LOADSTONE_RUN"], pid=os.getpid(), locust_version=locust.__version__))
    master = Master(channel)
    try:
        master.serve()
    except (MeasurementError, OSError) as error:
        logging.getLogger("loadstone.master").warning("master ends: %s", error)
    master.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
