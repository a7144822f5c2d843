"""The conductor's end of a generator: start it, talk to it, end it. Never imports Locust."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from loadstone.errors import MeasurementError
from loadstone.workload.protocol import (
    DECODER,
    Channel,
    Exchange,
    Failed,
    Go,
    Hello,
    Load,
    Loaded,
    Measured,
    Message,
    PairsDone,
    ProbeDone,
    Progress,
    Ready,
    RunPairs,
    RunProbe,
    Stop,
)

M = TypeVar("M", bound=Message)
CONNECT_TIMEOUT_S = 30.0
SILENCE_TIMEOUT_S = 180.0
"""A generator that says nothing for this long is lost."""


class Child(Protocol):
    """A started process."""

    @property
    def pid(self) -> int:
        """Its process id."""
        ...

    def poll(self) -> int | None:
        """Return its exit status, or None while it runs."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return the exit status."""
        ...


Spawn = Callable[[list[str]], Child]
"""Starts a command as a child that belongs to the run and dies with the conductor."""


class Generator:
    """A generator that has connected and proved itself."""

    def __init__(self, channel: Channel, child: Child, hello: Hello) -> None:
        self._channel = channel
        self.child = child
        self.locust_version = hello.locust_version

    def load(self, scenario: Path) -> list[str]:
        """Import a scenario and return its user classes; raises `MeasurementError`."""
        self._channel.send(Load(scenario=str(scenario)))
        return self._expect(Loaded).user_classes

    def run_pairs(
        self,
        plan: RunPairs,
        *,
        on_ready: Callable[[], None],
        on_progress: Callable[[int], None],
        on_measured: Callable[[], None] | None = None,
    ) -> PairsDone:
        """Run one generation.

        Args:
            plan: what to send.
            on_ready: called when every side is warm, right before the timed part.
            on_progress: called now and then with the number of pairs so far.
            on_measured: called after the last timed request, before the users stop.
        """
        self._channel.send(plan)
        self._expect_past_progress(Ready, lambda _pairs: None)
        on_ready()
        self._channel.send(Go())
        self._expect_past_progress(Measured, on_progress)
        if on_measured is not None:
            on_measured()
        self._channel.send(Go())
        return self._expect(PairsDone)

    def run_probe(self, plan: RunProbe, on_exchange: Callable[[Exchange], None]) -> ProbeDone:
        """Run the probe; `on_exchange` is called after each request, before the next is sent."""
        self._channel.send(plan)
        while True:
            message = self._receive()
            if isinstance(message, ProbeDone):
                return message
            if not isinstance(message, Exchange):
                raise _unexpected(message)
            on_exchange(message)
            self._channel.send(Go())

    def hang_up(self) -> None:
        """End the conversation from another thread: whoever waits for an answer gets an error."""
        self._channel.shut_down()

    def close(self) -> None:
        """Ask the process to end and wait for it."""
        end_child(self._channel, self.child)

    def _expect_past_progress(self, kind: type[M], on_progress: Callable[[int], None]) -> M:
        while True:
            message = self._receive()
            if isinstance(message, kind):
                return message
            if not isinstance(message, Progress):
                raise _unexpected(message)
            on_progress(message.pairs)

    def _expect(self, kind: type[M]) -> M:
        message = self._receive()
        if not isinstance(message, kind):
            raise _unexpected(message)
        return message

    def _receive(self) -> Message:
        try:
            message = self._channel.receive()
        except TimeoutError as error:
            raise MeasurementError(
                "the load generator fell silent", cause=f"nothing for {SILENCE_TIMEOUT_S:.0f} s"
            ) from error
        except OSError as error:
            raise MeasurementError("the load generator hung up", cause=str(error)) from error
        if isinstance(message, Failed):
            raise MeasurementError(message.problem, cause=message.cause, remedy=message.remedy)
        return message


@contextmanager
def start_generator(spawn: Spawn, python: str, token: str) -> Iterator[Generator]:
    """Start a local generator; the context's end ends it.

    Raises:
        MeasurementError: it did not connect, or somebody else did.
    """
    generator = Generator(*open_channel(spawn, [python, "-m", "loadstone.workload.generator"], token))
    try:
        yield generator
    finally:
        generator.close()


def open_channel(
    spawn: Spawn, argv: list[str], token: str, decoder: msgspec.msgpack.Decoder[Any] = DECODER
) -> tuple[Channel, Child, Hello]:
    """Start a program with an address to connect to as its last argument, and take its call.

    Raises:
        MeasurementError: it did not connect, or somebody else did.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        child = spawn([*argv, f"127.0.0.1:{server.getsockname()[1]}"])
        channel = Channel(accept_child(server, [child]), decoder)
        channel.settimeout(SILENCE_TIMEOUT_S)
        hello = channel.receive()
    if not isinstance(hello, Hello) or hello.token != token:
        raise MeasurementError("something else answered in the generator's place")
    return channel, child, hello


def end_child(channel: Channel, child: Child) -> None:
    """Ask a generator to end and wait for it; escalate by its pid."""
    with suppress(OSError):
        channel.send(Stop())
    channel.close()
    for sign in (None, signal.SIGTERM, signal.SIGKILL):
        if sign is not None and child.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(child.pid, sign)
        deadline = time.monotonic() + 2.0
        while child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)


def accept_child(server: socket.socket, children: Sequence[Child]) -> socket.socket:
    """Take the next call from a child; raises `MeasurementError` when one ends first, or none calls."""
    server.settimeout(0.2)
    deadline = time.monotonic() + CONNECT_TIMEOUT_S
    ended = None
    while time.monotonic() < deadline and ended is None:
        with suppress(TimeoutError):
            connection, _ = server.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
        ended = next((child.poll() for child in children if child.poll() is not None), None)
    raise MeasurementError(
        "the load generator did not come up",
        cause=f"exit status {ended}" if ended is not None else "it never connected",
        remedy="see generator.log in the run folder",
    )


def _unexpected(message: Message) -> MeasurementError:
    return MeasurementError(f"the load generator answered {type(message).__name__} out of turn")
