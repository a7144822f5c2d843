"""The workers of a run as their master sees them: whom it can write to, and the mail that they send."""

from __future__ import annotations

import queue
import signal
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from loadstone.errors import MeasurementError
from loadstone.workload.clocks import SAME_CLOCK, Reading
from loadstone.workload.protocol import Channel, Hello, Message, Stop
from loadstone.workload.remote import Child

ENDING_S = 0.5
"""For a process that hung up to be gone."""


@dataclass(frozen=True, slots=True)
class Gone:
    """Nothing more will come from a worker."""

    reason: str


@dataclass(frozen=True, slots=True)
class Letter:
    """What came from a worker, and when, on this process's `time.perf_counter_ns`."""

    worker: str
    content: Message | Gone
    at_ns: int


@dataclass(eq=False)
class Worker:
    """One generator process, here or on another host."""

    name: str
    hello: Hello
    write: Callable[[Message], None]
    """Sends a message; raises `OSError` when nobody is there."""
    child: Child | None = None
    """Of a process that this one started."""
    channel: Channel | None = None
    clock: Reading = SAME_CLOCK
    remote: bool = False
    """Whether its clock must be asked for."""


@dataclass(eq=False)
class Team:
    """All workers that are there, and one box for what they send."""

    workers: dict[str, Worker] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)
    """Those that are gone, and why."""
    joinable: bool = False
    """Whether workers may come while a block goes on."""
    mail: queue.SimpleQueue[Letter] = field(default_factory=queue.SimpleQueue)

    def write(self, name: str, message: Message) -> None:
        """Send a message to a worker; one that cannot be reached is gone, which its mail will say."""
        try:
            self.workers[name].write(message)
        except OSError as error:
            self.put(name, Gone(f"cannot be reached: {error}"))

    def put(self, name: str, content: Message | Gone) -> None:
        """Deliver what came from a worker."""
        self.mail.put(Letter(name, content, time.perf_counter_ns()))

    def next(self, timeout_s: float) -> Letter | None:
        """Wait for the next letter; None: none came. Letters of workers that are gone are dropped."""
        by = time.monotonic() + timeout_s
        while (left := by - time.monotonic()) > 0:
            try:
                letter = self.mail.get(timeout=left)
            except queue.Empty:
                return None
            if letter.worker not in self.lost:
                return letter
        return None

    def lose(self, name: str, reason: str) -> None:
        """Count a worker among those that are gone."""
        worker = self.workers.pop(name, None)
        self.lost.setdefault(name, reason)
        if worker is None:
            return
        if worker.channel is not None:
            worker.channel.shut_down()
        else:
            with suppress(OSError):
                worker.write(Stop())  # should it come back, it must not go on with its old share

    def names(self, of: Iterable[str] | None = None) -> list[str]:
        """Return the names of the workers that are there, or of those of them that are among `of`."""
        return [name for name in (self.workers if of is None else of) if name in self.workers]

    @property
    def clock_bound_ns(self) -> int:
        """By how much the clock of any worker may be other than thought."""
        return max((worker.clock.bound_ns for worker in self.workers.values()), default=0)

    def add_local(self, worker: Worker, channel: Channel) -> None:
        """Add a worker that has called on a channel of its own, and begin to take its mail."""
        worker.channel = channel
        self.workers[worker.name] = worker
        channel.settimeout(None)
        threading.Thread(target=self._listen, args=(worker.name, channel), daemon=True).start()

    def _listen(self, name: str, channel: Channel) -> None:
        child = self.workers[name].child
        while True:
            try:
                self.put(name, channel.receive())
            except (OSError, MeasurementError) as error:
                reason = error.problem if isinstance(error, MeasurementError) else str(error)
                self.put(name, Gone(_ending(child) or reason))
                return


def _ending(child: Child | None) -> str:
    """Say how a process ended that hung up; nothing where it did not, or is not ours."""
    status, by = None, time.monotonic() + ENDING_S
    while child is not None and (status := child.poll()) is None and time.monotonic() < by:
        time.sleep(0.01)
    if status is None:
        return ""
    return (
        f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with exit status {status}"
    )
