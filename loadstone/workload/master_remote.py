"""The conductor's end of a Locust master: start it, hear of its workers, write to them.

Never imports Locust.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

import msgspec

from loadstone.config.crew import Crew
from loadstone.errors import MeasurementError
from loadstone.workload.bridge import (
    BRIDGE_DECODER,
    EndWish,
    MasterOpen,
    Missing,
    OpenMaster,
    Relay,
    Show,
)
from loadstone.workload.load_protocol import LOAD_DECODER
from loadstone.workload.protocol import Channel, Failed, Message
from loadstone.workload.remote import Child, Spawn, end_child, open_channel
from loadstone.workload.team import Gone, Team

_ID_DIGITS = 32
"""Of the random part of Locust's name of a worker; six of them are told."""
_encoder = msgspec.msgpack.Encoder()


class MasterProcess:
    """A Locust master that has connected and listens for workers."""

    def __init__(self, channel: Channel, child: Child, team: Team) -> None:
        self._channel = channel
        self._child = child
        self._team = team
        self._ids: dict[str, str] = {}
        self.port = 0
        self.web_url = ""
        self.end_wished = False
        """Whether somebody pressed stop in the web UI."""

    def open(self, crew: Crew, title: str) -> None:
        """Let it listen; raises `MeasurementError` where it cannot."""
        web_port = crew.web_port if crew.web else None
        # nobody else is expected where only workers of this run are to come: any port will do
        port = crew.port if crew.expected else 0
        self._channel.send(OpenMaster(host=crew.bind, port=port, web_port=web_port, title=title))
        answer = self._channel.receive()
        if isinstance(answer, Failed):
            raise MeasurementError(answer.problem, cause=answer.cause, remedy=answer.remedy)
        if not isinstance(answer, MasterOpen):
            raise MeasurementError("the master answered out of turn")
        self.port, self.web_url = answer.port, answer.web_url
        self._channel.settimeout(None)
        threading.Thread(target=self._listen, daemon=True).start()

    def write(self, name: str, message: Message) -> None:
        """Send a message to a worker; raises `OSError` when the master is gone."""
        self._channel.send(Relay(worker=self._ids[name], body=_encoder.encode(message)))

    def writer(self, name: str) -> partial[None]:
        """Return what sends messages to one worker."""
        return partial(self.write, name)

    def show(self, page: bytes) -> None:
        """Give the before/after page other figures."""
        with suppress(OSError):
            self._channel.send(Show(page=page))

    def close(self) -> None:
        """End it; its workers go too."""
        end_child(self._channel, self._child)

    def _listen(self) -> None:
        while True:
            try:
                message = self._channel.receive()
            except (OSError, MeasurementError):
                for name in self._ids:
                    self._team.put(name, Gone("cannot be reached: the master is gone"))
                return
            if isinstance(message, Relay):
                self._deliver(message)
            elif isinstance(message, Missing):
                self._team.put(self._told_name(message.worker), Gone(message.reason))
            elif isinstance(message, EndWish):
                self.end_wished = True

    def _deliver(self, message: Relay) -> None:
        name = self._told_name(message.worker)
        try:
            content: Message = LOAD_DECODER.decode(message.body)
        except msgspec.DecodeError:
            return  # not one of ours
        self._team.put(name, content)

    def _told_name(self, worker: str) -> str:
        """Return the name that people see: that of the host, and enough to tell workers apart."""
        name = worker if len(worker) <= _ID_DIGITS else f"{worker[:-_ID_DIGITS]}{worker[-_ID_DIGITS:][:6]}"
        self._ids[name] = worker
        return name


@contextmanager
def start_master(
    spawn: Spawn, token: str, team: Team, crew: Crew, title: str, python: str = sys.executable
) -> Iterator[MasterProcess]:
    """Start a Locust master as a child of the run; the context's end ends it.

    Raises:
        MeasurementError: it does not come up, or cannot listen.
    """
    argv = [python, "-m", "loadstone.workload.load_master"]
    channel, child, _ = open_channel(spawn, argv, token, BRIDGE_DECODER)
    master = MasterProcess(channel, child, team)
    try:
        master.open(crew, title)
        yield master
    finally:
        master.close()
