"""A process that offers load: `python -m loadstone.workload.load_generator [K/W] HOST:PORT`.

It connects to the conductor, proves with the run's token that it was started for
this run, and does what it is told. Importing Locust patches the whole process.
"""

import locust  # isort: skip - first, as it patches the standard library

import logging
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import gevent
from gevent.lock import BoundedSemaphore
from gevent.queue import Queue
from locust import LoadTestShape, User, events
from locust.env import Environment
from locust.util.load_locustfile import load_locustfile

from loadstone import __version__
from loadstone.errors import LoadstoneError, MeasurementError
from loadstone.workload import seats, streams
from loadstone.workload.blocks import Sides
from loadstone.workload.crowd import run_crowd
from loadstone.workload.feeders import SHARE_VARIABLE
from loadstone.workload.load_protocol import (
    LOAD_DECODER,
    Ack,
    CloseSides,
    OpenSides,
    Ping,
    Pong,
    Reshare,
    RunBlock,
    RunCrowd,
    RunSelfTest,
    SidesClosed,
    SidesOpen,
)
from loadstone.workload.lockstep import weighted_classes
from loadstone.workload.protocol import Channel, Failed, Hello, Load, Loaded, Message, Stop
from loadstone.workload.reports import Outbox
from loadstone.workload.self_test import run_self_test

MOST_LOGGED = 20
"""Exceptions of one kind of logger that are written out; the rest is only counted."""


class Line(Protocol):
    """What connects a worker with its master."""

    def send(self, message: Message) -> None:
        """Send one message."""
        ...

    def receive(self) -> Message:
        """Wait for the next one; raises `MeasurementError` or `OSError` when there will be none."""
        ...


class LoadGenerator:
    """Serves one master until it hangs up."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._sending = BoundedSemaphore()
        self._orders: Queue[Message] = Queue()
        self._outbox: Outbox | None = None
        self._classes: list[type[User]] = []
        self._shapes: list[LoadTestShape] = []
        # the events that a scenario's module-level listeners are added to
        self._environment = Environment(user_classes=[], catch_exceptions=True, events=events)
        self._sides: Sides | None = None
        self._answers: dict[type[Message], Callable[..., Message | None]] = {
            Load: self._load,
            OpenSides: self._open,
            RunBlock: self._block,
            CloseSides: self._close,
            RunCrowd: self._crowd,
            RunSelfTest: lambda order: run_self_test(order, self._classes, self._environment),
        }

    def serve(self) -> None:
        """Do what the master orders, until it says stop or hangs up."""
        gevent.spawn(self._listen)
        while True:
            order = self._orders.get()
            if isinstance(order, Stop):
                return
            try:
                answer = self._answer(order)
                if answer is not None:
                    self._send(answer)
            except LoadstoneError as error:
                self._send(Failed(problem=error.problem, cause=error.cause, remedy=error.remedy))

    @property
    def users(self) -> int:
        """How many users there are."""
        return sum(pool.living for pool in self._sides.pools) if self._sides is not None else 0

    def _answer(self, order: Message) -> Message | None:
        act = self._answers.get(type(order))
        if act is None:
            raise MeasurementError(f"the generator cannot answer {type(order).__name__} now")
        return act(order)

    def _listen(self) -> None:
        """Take every message: some are for what is going on, the others wait for its end."""
        while True:
            try:
                message = self._line.receive()
            except (MeasurementError, OSError) as error:
                logging.getLogger("loadstone.generator").warning("generator ends: %s", error)
                message = Stop()
            if isinstance(message, Ping):
                self._send(Pong(number=message.number, clock_ns=time.perf_counter_ns()))
            elif isinstance(message, Ack):
                if self._outbox is not None:
                    self._outbox.ack(message.seq, go_on=message.go_on)
            elif isinstance(message, Reshare):
                if self._sides is not None:
                    self._send(self._sides.reshare(message))
            elif isinstance(message, Stop) and self._outbox is not None:
                os._exit(0)  # in the middle of a block, which nobody waits for any more
            else:
                self._orders.put(message)
                if isinstance(message, Stop):
                    return

    def _send(self, message: Message) -> None:
        with self._sending:  # greenlets take turns: a large message is sent in pieces
            self._line.send(message)

    def _load(self, order: Load) -> Loaded:
        path = Path(order.scenario)
        if order.share:
            os.environ[SHARE_VARIABLE] = order.share
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

    def _block(self, order: RunBlock) -> None:
        if self._sides is None:
            raise MeasurementError("a block needs open sides")
        self._outbox = Outbox(self._send, order.number)
        try:
            self._sides.run(order, self._outbox)
        finally:
            self._outbox = None

    def _crowd(self, order: RunCrowd) -> None:
        self._outbox = Outbox(self._send, order.number)
        try:
            run_crowd(order, self._classes, self._shapes, self._outbox)
        finally:
            self._outbox = None

    def _close(self, _order: CloseSides) -> SidesClosed:
        if self._sides is not None:
            self._sides.close()
            self._sides = None
            events.test_stop.fire(environment=self._environment)
        return SidesClosed()


class _Few(logging.Filter):
    """Lets the first records of each logger pass: a task that fails a thousand times is one story."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[str, int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is written."""
        self._seen[record.name] = self._seen.get(record.name, 0) + 1
        return self._seen[record.name] <= MOST_LOGGED


def prepare_process() -> None:
    """Make this process fit for users with private random streams that wait for work."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger().handlers[0].addFilter(_Few())
    streams.install()
    seats.install()


def hello(token: str) -> Hello:
    """Return the first message to a master."""
    return Hello(
        token=token,
        pid=os.getpid(),
        locust_version=locust.__version__,
        host=Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
        cores=len(os.sched_getaffinity(0)),
        version=__version__,
    )


def main() -> int:
    """Connect to the conductor named by the last argument and serve it; before it, which worker this is."""
    *places, address = sys.argv[1:]
    os.environ[SHARE_VARIABLE] = next(iter(places), "0/1")
    host, _, port = address.rpartition(":")
    prepare_process()
    channel = Channel(socket.create_connection((host, int(port)), timeout=10), LOAD_DECODER)
    channel.settimeout(None)
    channel.send(hello(os.environ["LOADSTONE_RUN"]))
    LoadGenerator(channel).serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
