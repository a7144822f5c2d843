"""The generator's process: `python -m loadstone.workload.generator HOST:PORT`.

It connects to the conductor, proves with the run's token that it was started for
this run, and does what it is told. Importing Locust patches the whole process.
"""

import locust  # isort: skip - first, as it patches the standard library

import logging
import os
import socket
import sys
from pathlib import Path

from locust import User
from locust.env import Environment
from locust.util.load_locustfile import load_locustfile

from loadstone.errors import LoadstoneError, MeasurementError
from loadstone.workload import streams, twins
from loadstone.workload.exchange import on_request
from loadstone.workload.lockstep import weighted_classes
from loadstone.workload.pairs import run_pairs
from loadstone.workload.probe import run_probe
from loadstone.workload.protocol import (
    Channel,
    Exchange,
    Failed,
    Go,
    Hello,
    Load,
    Loaded,
    Message,
    RunPairs,
    RunProbe,
    Stop,
)

_log = logging.getLogger("loadstone.generator")


class StopRequested(Exception):  # noqa: N818 - a signal, not an error
    """The conductor wants the process to end."""


class Generator:
    """Serves one conductor until it hangs up."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._classes: list[type[User]] = []
        self._scenario_errors: list[str] = []

    def serve(self) -> None:
        """Answer messages until told to stop."""
        while True:
            message = self._channel.receive()
            try:
                self._handle(message)
            except LoadstoneError as error:
                self._channel.send(Failed(problem=error.problem, cause=error.cause, remedy=error.remedy))

    def _handle(self, message: Message) -> None:
        if isinstance(message, Load):
            self._channel.send(self._load(message))
        elif isinstance(message, RunPairs):
            done = run_pairs(message, self._classes, self._environment(), self._channel.send, self._wait_go)
            done.scenario_errors += len(self._scenario_errors)
            done.first_error = done.first_error or next(iter(self._scenario_errors), "")
            self._channel.send(done)
        elif isinstance(message, RunProbe):
            probed = run_probe(message, self._classes, self._environment(), self._exchange)
            probed.scenario_errors += len(self._scenario_errors)
            probed.first_error = probed.first_error or next(iter(self._scenario_errors), "")
            self._channel.send(probed)
        elif isinstance(message, Stop):
            raise StopRequested
        else:
            raise MeasurementError(f"the generator cannot answer {type(message).__name__} now")

    def _load(self, message: Load) -> Loaded:
        path = Path(message.scenario)
        try:
            found, _ = load_locustfile(str(path))[-2:]
        except Exception as error:
            raise MeasurementError(
                f"the scenario {path.name} cannot be imported",
                cause=f"{type(error).__name__}: {error}",
                remedy=f"try it with stock Locust: locust -f {path.name}",
            ) from error
        classes = list(found.values())
        if not classes:
            raise MeasurementError(
                f"the scenario {path.name} defines no user class",
                cause="a scenario needs a subclass of HttpUser or FastHttpUser that is not abstract",
            )
        self._classes = weighted_classes(classes)
        return Loaded(user_classes=[cls.__name__ for cls in self._classes])

    def _environment(self) -> Environment:
        environment = Environment(user_classes=[], catch_exceptions=True)
        environment.events.request.add_listener(on_request)
        self._scenario_errors = []

        def note(user_instance: object, exception: BaseException, tb: object, **_: object) -> None:
            del user_instance, tb
            self._scenario_errors.append(f"{type(exception).__name__}: {exception}")

        environment.events.user_error.add_listener(note)
        return environment

    def _exchange(self, exchange: Exchange) -> None:
        self._channel.send(exchange)
        self._wait_go()

    def _wait_go(self) -> None:
        message = self._channel.receive()
        if isinstance(message, Stop):
            raise StopRequested
        if not isinstance(message, Go):
            raise MeasurementError(f"the generator waited for go and got {type(message).__name__}")


def main() -> int:
    """Connect to the conductor named by the argument and serve it."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    host, _, port = sys.argv[1].rpartition(":")
    streams.install()
    twins.install_hooks()
    channel = Channel(socket.create_connection((host, int(port)), timeout=10))
    channel.settimeout(None)
    hello = Hello(token=os.environ["LOADSTONE_RUN"], pid=os.getpid(), locust_version=locust.__version__)
    channel.send(hello)
    try:
        Generator(channel).serve()
    except (StopRequested, MeasurementError, OSError) as error:
        _log.warning("generator ends: %s", error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
