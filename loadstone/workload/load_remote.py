"""The conductor's end of a generator of offered load. Never imports Locust."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from loadstone.errors import MeasurementError
from loadstone.record.recording import Recording
from loadstone.workload.load_protocol import (
    LOAD_DECODER,
    BlockDone,
    CloseSides,
    EndBlock,
    OpenSides,
    RunBlock,
    RunCrowd,
    RunSelfTest,
    Second,
    SelfTested,
    SidesClosed,
    SidesOpen,
)
from loadstone.workload.protocol import Channel, Failed, Go, Hello, Load, Loaded, Message
from loadstone.workload.remote import Child, Spawn, end_child, open_channel

M = TypeVar("M", bound=Message)
OnSecond = Callable[[Second, Recording, Recording], bool]
"""Takes a second and all that was recorded so far (requests, schedule); returns whether to go on."""


class LoadGenerator:
    """A generator that has connected and proved itself."""

    def __init__(self, channel: Channel, child: Child, hello: Hello) -> None:
        self._channel = channel
        self.child = child
        self.locust_version = hello.locust_version

    def load(self, scenario: Path) -> list[str]:
        """Import a scenario and return its user classes; raises `MeasurementError`."""
        return self._ask(Load(scenario=str(scenario)), Loaded).user_classes

    def self_test(self, order: RunSelfTest) -> SelfTested:
        """Return what a request costs this generator."""
        return self._ask(order, SelfTested)

    def open_sides(self, order: OpenSides) -> None:
        """Make the users of a generation, and start the first ones."""
        self._ask(order, SidesOpen)

    def close_sides(self) -> None:
        """End the users."""
        self._ask(CloseSides(), SidesClosed)

    def run(self, order: RunBlock | RunCrowd, on_second: OnSecond) -> tuple[BlockDone, Recording, Recording]:
        """Run a block or a crowd; return how it went, and the recordings of requests and schedule.

        Raises:
            MeasurementError: the generator died, or could not do it.
        """
        requests, schedule = Recording(), Recording()
        self._channel.send(order)
        while True:
            message = self._receive()
            if not isinstance(message, (Second, BlockDone)):
                raise _unexpected(message)
            requests.add(Recording.unpack(message.requests))
            schedule.add(Recording.unpack(message.schedule))
            if isinstance(message, BlockDone):
                return message, requests, schedule
            go_on = on_second(message, requests, schedule)
            self._channel.send(Go() if go_on else EndBlock())

    def close(self) -> None:
        """Ask the process to end and wait for it."""
        end_child(self._channel, self.child)

    def _ask(self, message: Message, kind: type[M]) -> M:
        self._channel.send(message)
        answer = self._receive()
        if not isinstance(answer, kind):
            raise _unexpected(answer)
        return answer

    def _receive(self) -> Message:
        try:
            message = self._channel.receive()
        except TimeoutError as error:
            raise MeasurementError("the load generator fell silent") from error
        except OSError as error:
            raise MeasurementError("the load generator hung up", cause=str(error)) from error
        if isinstance(message, Failed):
            raise MeasurementError(message.problem, cause=message.cause, remedy=message.remedy)
        return message


@contextmanager
def start_load_generator(spawn: Spawn, token: str, python: str = sys.executable) -> Iterator[LoadGenerator]:
    """Start a local generator of offered load; the context's end ends it."""
    argv = [python, "-m", "loadstone.workload.load_generator"]
    generator = LoadGenerator(*open_channel(spawn, argv, token, LOAD_DECODER))
    try:
        yield generator
    finally:
        generator.close()


def _unexpected(message: Message) -> MeasurementError:
    return MeasurementError(f"the load generator answered {type(message).__name__} out of turn")
