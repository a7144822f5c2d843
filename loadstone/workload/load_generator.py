"""The process that offers load: `python -m loadstone.workload.load_generator HOST:PORT`.

It connects to the conductor, proves with the run's token that it was started for
this run, and does what it is told. Importing Locust patches the whole process.
"""

import locust  # isort: skip - first, as it patches the standard library

import logging
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from locust import LoadTestShape, User, events
from locust.env import Environment
from locust.util.load_locustfile import load_locustfile

from loadstone.errors import LoadstoneError, MeasurementError
from loadstone.workload import seats, streams
from loadstone.workload.blocks import Sides
from loadstone.workload.crowd import run_crowd
from loadstone.workload.load_protocol import (
    LOAD_DECODER,
    CloseSides,
    EndBlock,
    OpenSides,
    RunBlock,
    RunCrowd,
    RunSelfTest,
    Second,
    SidesClosed,
    SidesOpen,
)
from loadstone.workload.lockstep import weighted_classes
from loadstone.workload.protocol import Channel, Failed, Go, Hello, Load, Loaded, Message, Stop
from loadstone.workload.self_test import run_self_test

MOST_LOGGED = 20
"""Exceptions of one kind of logger that are written out; the rest is only counted."""


class StopRequested(Exception):  # noqa: N818 - a signal, not an error
    """The conductor wants the process to end."""


class LoadGenerator:
    """Serves one conductor until it hangs up."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._classes: list[type[User]] = []
        self._shapes: list[LoadTestShape] = []
        # the events that a scenario's module-level listeners are added to
        self._environment = Environment(user_classes=[], catch_exceptions=True, events=events)
        self._sides: Sides | None = None
        self._answers: dict[type[Message], Callable[..., Message]] = {
            Load: self._load,
            OpenSides: self._open,
            RunBlock: self._block,
            CloseSides: self._close,
            RunCrowd: lambda order: run_crowd(order, self._classes, self._shapes, self._tell),
            RunSelfTest: lambda order: run_self_test(order, self._classes, self._environment),
        }

    def serve(self) -> None:
        """Answer messages until told to stop."""
        while True:
            message = self._channel.receive()
            if isinstance(message, Stop):
                raise StopRequested
            try:
                answer = self._answers.get(type(message))
                if answer is None:
                    raise MeasurementError(f"the generator cannot answer {type(message).__name__} now")
                self._channel.send(answer(message))
            except LoadstoneError as error:
                self._channel.send(Failed(problem=error.problem, cause=error.cause, remedy=error.remedy))

    def _load(self, order: Load) -> Loaded:
        path = Path(order.scenario)
        try:
            *_, found, shapes = load_locustfile(str(path))
        except Exception as error:
            raise MeasurementError(
                f"the scenario {path.name} cannot be imported",
                cause=f"{type(error).__name__}: {error}",
                remedy=f"try it with stock Locust: locust -f {path.name}",
            ) from error
        self._classes, self._shapes = list(found.values()), list(shapes)
        if not self._classes:
            raise MeasurementError(
                f"the scenario {path.name} defines no user class",
                cause="a scenario needs a subclass of a Locust user that is not abstract",
            )
        events.init.fire(environment=self._environment, runner=None, web_ui=None)
        return Loaded(user_classes=[kind.__name__ for kind in self._classes])

    def _open(self, order: OpenSides) -> SidesOpen:
        if self._sides is not None:
            self._close(CloseSides())
        events.test_start.fire(environment=self._environment)
        self._sides = Sides(order, weighted_classes(self._classes), self._environment)
        return SidesOpen()

    def _block(self, order: RunBlock) -> Message:
        if self._sides is None:
            raise MeasurementError("a block needs open sides")
        return self._sides.run(order, self._tell)

    def _close(self, _order: CloseSides) -> SidesClosed:
        if self._sides is not None:
            self._sides.close()
            self._sides = None
            events.test_stop.fire(environment=self._environment)
        return SidesClosed()

    def _tell(self, second: Second) -> bool:
        """Say what a second brought; return whether to go on."""
        self._channel.send(second)
        message = self._channel.receive()
        if isinstance(message, (Go, EndBlock)):
            return isinstance(message, Go)
        if isinstance(message, Stop):
            os._exit(0)  # in a greenlet of its own: nobody would see an exception
        raise MeasurementError(f"the generator waited for go and got {type(message).__name__}")


class _Few(logging.Filter):
    """Lets the first records of each logger pass: a task that fails a thousand times is one story."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[str, int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is written."""
        self._seen[record.name] = self._seen.get(record.name, 0) + 1
        return self._seen[record.name] <= MOST_LOGGED


def main() -> int:
    """Connect to the conductor named by the argument and serve it."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger().handlers[0].addFilter(_Few())
    host, _, port = sys.argv[1].rpartition(":")
    streams.install()
    seats.install()
    channel = Channel(socket.create_connection((host, int(port)), timeout=10), LOAD_DECODER)
    channel.settimeout(None)
    hello = Hello(token=os.environ["LOADSTONE_RUN"], pid=os.getpid(), locust_version=locust.__version__)
    channel.send(hello)
    try:
        LoadGenerator(channel).serve()
    except (StopRequested, MeasurementError, OSError) as error:
        logging.getLogger("loadstone.generator").warning("generator ends: %s", error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
