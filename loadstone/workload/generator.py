"""The generator's process: `python -m loadstone.workload.generator HOST:PORT`.

It connects to the conductor, proves with the run's token that it was started for
this run, and does what it is told. Importing Locust patches the whole process.
"""

import locust  # isort: skip - first, as it patches the standard library

import logging
import os
import socket
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from locust import User, events
from locust.env import Environment
from locust.event import EventHook
from locust.util.load_locustfile import load_locustfile

from loadstone.errors import LoadstoneError, MeasurementError
from loadstone.secrecy import told
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
    PairsDone,
    ProbeDone,
    RunPairs,
    RunProbe,
    Stop,
)

_log = logging.getLogger("loadstone.generator")
D = TypeVar("D", PairsDone, ProbeDone)


class StopRequested(Exception):  # noqa: N818 - a signal, not an error
    """The conductor wants the process to end."""


class Generator:
    """Serves one conductor until it hangs up."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._classes: list[type[User]] = []
        # the events that a scenario's module-level listeners are added to
        self._environment = Environment(user_classes=[], catch_exceptions=True, events=events)
        self._listener_errors: list[str] = []
        events.request.add_listener(on_request)
        events.user_error.add_listener(twins.on_user_error)

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
            self._channel.send(self._run(partial(run_pairs, message), self._channel.send, self._wait_go))
        elif isinstance(message, RunProbe):
            self._channel.send(self._run(partial(run_probe, message), self._exchange))
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
        self._fire(events.init, environment=self._environment, runner=None, web_ui=None)
        return Loaded(user_classes=[cls.__name__ for cls in self._classes])

    def _run(self, run: Callable[..., D], *talk: Callable[..., None]) -> D:
        """Run between `test_start` and `test_stop`; errors of listeners are the scenario's."""
        self._fire(events.test_start, environment=self._environment)
        try:
            done = run(self._classes, self._environment, *talk)
        finally:
            self._fire(events.test_stop, environment=self._environment)
        done.scenario_errors += len(self._listener_errors)
        done.first_error = done.first_error or next(iter(self._listener_errors), "")
        self._listener_errors = []
        return done

    def _fire(self, hook: EventHook, **event: object) -> None:
        """Call the listeners of `hook`; Locust's own `fire` would only log what they raise."""
        for listener in list(hook._handlers):  # noqa: SLF001 - as above
            try:
                listener(**event)
            except Exception as error:  # noqa: BLE001 - a scenario may raise anything; it is reported
                self._listener_errors.append(told(error))

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
