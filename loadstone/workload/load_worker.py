"""A worker of a master elsewhere: `python -m loadstone.workload.load_worker HOST:PORT`.

It is a Locust worker (`WorkerRunner`: its connection, heartbeats and messages) that
does what our conductor says, which comes as custom messages of Locust's RPC.
"""

import argparse
import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gevent
import msgspec
from gevent.queue import Queue
from locust import events
from locust.env import Environment
from locust.runners import WorkerRunner

from loadstone.config.crew import LOCUST_PORT, LOOPBACK, TOKEN_VARIABLE, parse_address
from loadstone.errors import LoadstoneError, MeasurementError
from loadstone.workload.bridge import LOCUST_MESSAGE
from loadstone.workload.load_generator import LoadGenerator, hello, prepare_process
from loadstone.workload.load_protocol import LOAD_DECODER, OpenSides, RunBlock, RunCrowd, RunSelfTest
from loadstone.workload.protocol import Failed, Load, Message, Stop

HELLO_AGAIN_S = 2.0
_log = logging.getLogger("loadstone.worker")


class RpcLine:
    """Carries our messages over Locust's connection to its master."""

    def __init__(self, runner: WorkerRunner) -> None:
        self._runner = runner
        self._came: Queue[Message] = Queue()
        self._encoder = msgspec.msgpack.Encoder()
        self.heard = False
        self.refused = ""
        """Why the master does not want this worker."""
        self.failed: Failed | None = None
        """Why this worker could not do what it was told."""
        runner.register_message(LOCUST_MESSAGE, self._on_message)
        gevent.spawn(self._await_end)

    def send(self, message: Message) -> None:
        """Send one message to the conductor."""
        if isinstance(message, Failed):
            self.failed = message
        self._runner.send_message(LOCUST_MESSAGE, self._encoder.encode(message))  # type: ignore[arg-type]  # whatever msgpack carries

    def receive(self) -> Message:
        """Wait for the next message of the conductor."""
        return self._came.get()

    def _on_message(self, msg: Any, **_: Any) -> None:  # noqa: ANN401 - Locust's keywords
        try:
            message = LOAD_DECODER.decode(msg.data)
        except (msgspec.DecodeError, TypeError) as error:
            _log.warning("the master sent something that is no message: %s", error)
            return
        self.heard = True
        if isinstance(message, Failed):
            self.refused = message.problem
            message = Stop()
        self._came.put(message)

    def _await_end(self) -> None:
        """Stop when Locust's runner ends: the master quit, or was not heard of for a minute."""
        self._runner.greenlet.join()
        self._came.put(Stop())


class RemoteWorker(LoadGenerator):
    """A generator whose conductor is on another host."""

    def __init__(
        self, line: RpcLine, runner: WorkerRunner, scenario: Path | None, allowed: frozenset[str]
    ) -> None:
        super().__init__(line)
        self._runner = runner
        self._scenario = scenario
        self._allowed = allowed
        self.forbade = False
        """Whether it was told to send load to a host that nobody allowed here."""
        runner.environment.events.report_to_master.add_listener(self._add_users)

    def _answer(self, order: Message) -> Message | None:
        if isinstance(order, OpenSides):
            for side in order.sides:
                self._require_allowed(side.base_url)
        elif isinstance(order, RunCrowd):
            self._require_allowed(order.base_url)
        elif isinstance(order, RunSelfTest):
            return self._self_test(order)
        elif isinstance(order, Load):
            return self._load_here(order)
        self._runner.worker_state = "running" if isinstance(order, (RunBlock, RunCrowd)) else "ready"
        return super()._answer(order)

    def _load_here(self, order: Load) -> Message | None:
        """Load the scenario: the one named here, which must be the same, or the text that came along."""
        if order.locust_stats:
            events.request.add_listener(self._count_for_locust)
        if self._scenario is None:
            # gone again once it is imported: a worker that is killed later leaves nothing behind
            with tempfile.TemporaryDirectory(prefix="loadstone-worker-") as folder:
                path = Path(folder) / Path(order.scenario).name
                path.write_text(order.text)
                return super()._answer(Load(scenario=str(path), share=order.share))
        if self._scenario.read_text() != order.text:
            raise MeasurementError(
                f"{self._scenario.name} of this worker is not the scenario of the run",
                remedy="give all hosts the same file, or leave --scenario out",
            )
        return super()._answer(Load(scenario=str(self._scenario), share=order.share))

    def _require_allowed(self, url: str) -> None:
        host = urlsplit(url).hostname or ""
        if host not in LOOPBACK and host not in self._allowed:
            self.forbade = True
            raise MeasurementError(
                f"this worker may not send load to {host}",
                remedy=f"start it with --allow-target {host} if you mean it",
            )

    def _self_test(self, order: RunSelfTest) -> Message | None:
        """Test against a server of this host."""
        argv = [sys.executable, "-m", "loadstone.workload.null_server"]
        server = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        try:
            port = server.stdout.readline().strip() if server.stdout else ""
            return super()._answer(msgspec.structs.replace(order, base_url=f"http://127.0.0.1:{port}"))
        finally:
            server.kill()
            server.wait()

    def _count_for_locust(
        self,
        request_type: str,
        name: str,
        response_time: float,
        response_length: int,
        exception: BaseException | None = None,
        **_: Any,  # noqa: ANN401 - Locust's keywords
    ) -> None:
        """Let Locust count for its own web UI; the self-test is none of its business."""
        if self._outbox is None:
            return
        stats: Any = self._runner.stats
        stats.log_request(request_type, name, response_time, response_length)
        if exception:
            stats.log_error(request_type, name, exception)

    def _add_users(self, data: dict[str, Any], **_: Any) -> None:  # noqa: ANN401 - Locust's keywords
        data["user_count"] = self.users
        data["user_classes_count"] = {"users": self.users}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="loadstone worker")
    parser.add_argument("master")
    parser.add_argument("--scenario", type=Path)
    parser.add_argument("--allow-target", action="append", default=[])
    return parser.parse_args()


def main() -> int:
    """Take part in one run of the master named by the argument."""
    arguments = _arguments()
    prepare_process()
    host, port = parse_address(arguments.master, LOCUST_PORT)
    sys.stderr.write(f"connecting to the master at {host}:{port}\n")
    environment = Environment(user_classes=[])
    try:
        runner = environment.create_worker_runner(host, port)
    except ConnectionError:
        sys.stderr.write(f"error: there is no master at {host}:{port}\nremedy: start the run first\n")
        return 3
    line = RpcLine(runner)
    worker = RemoteWorker(line, runner, arguments.scenario, frozenset(arguments.allow_target))
    greeting = hello(os.environ.get(TOKEN_VARIABLE, ""))
    gevent.spawn(_greet, line, greeting)
    sys.stderr.write("connected: waiting for orders\n")
    try:
        worker.serve()
    except LoadstoneError as error:
        sys.stderr.write(f"error: {error.problem}\n")
        return 3
    if line.refused:
        sys.stderr.write(f"error: refused by the master: {line.refused}\n")
        return 2
    if line.failed:
        sys.stderr.write(f"error: {line.failed.problem}\nremedy: {line.failed.remedy}\n")
        return 2 if worker.forbade else 3
    sys.stderr.write("the run is over\n")
    return 0


def _greet(line: RpcLine, greeting: Message) -> None:
    """Say hello until the conductor answers: it may not be listening yet."""
    while not line.heard:
        line.send(greeting)
        gevent.sleep(HELLO_AGAIN_S)


if __name__ == "__main__":
    sys.exit(main())
