"""Reports of a worker: numbered, sent again until acknowledged, taken exactly once.

A report holds the histograms of everything recorded since the last acknowledged one,
and how much was recorded since the block's start. While one is on its way, what comes
after it waits in the recorder, so that what a number stands for never changes: a
report that is lost is sent again, one that comes twice is acknowledged twice and
counted once, and one that comes late is known already.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from msgspec.structs import replace

from loadstone.errors import MeasurementError
from loadstone.record.observations import Outcome
from loadstone.record.recording import Recording
from loadstone.workload.load_protocol import Numbered, Report, WorkerDone

DISPATCH = "(dispatch)"


class Outbox:
    """The worker's end, for one block.

    Args:
        send: sends a message to the master; it may be lost.
        block: number of the block.
    """

    def __init__(self, send: Callable[[Numbered], None], block: int = 0) -> None:
        self._send = send
        self._block = block
        self._seq = 0
        self._waiting: Numbered | None = None
        self.on_ack: Callable[[], None] = lambda: None
        self.on_end: Callable[[], None] = lambda: None
        """Called where the master wants the block to end."""

    @property
    def clear(self) -> bool:
        """Whether everything sent is acknowledged."""
        return self._waiting is None

    def post(self, make: Callable[[int], Numbered]) -> None:
        """Send the report that `make` returns for the next number; the last again where it still waits."""
        if self._waiting is None:
            self._seq += 1
            self._waiting = replace(make(self._seq), block=self._block)
        self._send(self._waiting)

    def ack(self, seq: int, *, go_on: bool) -> None:
        """Take an acknowledgement; one of an earlier report, or a second one, says nothing new."""
        if self._waiting is not None and seq == self._waiting.seq:
            self._waiting = None
        if not go_on:
            self.on_end()
        self.on_ack()


@dataclass
class Inbox:
    """The master's end of one worker's reports on one block."""

    worker: str
    block: int = 0
    taken: int = 0
    """Number of the last report that counts."""
    requests: int = 0
    """Requests in the reports taken."""
    iterations: int = 0
    dispatched: int = 0
    not_sent: int = 0
    cpu_s: float = 0.0
    elapsed_s: int = 0
    users: int = 0
    backlog: int = 0
    done: WorkerDone | None = None
    repeated: int = field(default=0)
    """Reports that came although they were taken already."""

    @property
    def told(self) -> int:
        """Arrivals of which the reports taken tell what became of them."""
        return self.iterations + self.not_sent

    def take(self, report: Numbered) -> tuple[Recording, Recording] | None:
        """Return what a report adds (requests, schedule) to the block; None where it adds nothing new.

        Raises:
            MeasurementError: a report before it is missing, or it holds another number of
                requests than it says.
        """
        if report.block != self.block or report.seq <= self.taken:
            self.repeated += 1
            return None
        if report.seq != self.taken + 1:
            raise MeasurementError(
                f"reports of {self.worker} are missing", cause=f"{report.seq} came after {self.taken}"
            )
        requests, schedule = Recording.unpack(report.requests), Recording.unpack(report.schedule)
        self._count(requests, schedule)
        if (self.requests, self.iterations + self.dispatched) != (report.recorded, report.scheduled):
            raise MeasurementError(
                f"the reports of {self.worker} do not add up",
                cause=f"it recorded {report.recorded} requests, and its reports hold {self.requests}",
            )
        self.taken, self.cpu_s = report.seq, report.cpu_s
        if isinstance(report, WorkerDone):
            self.done = report
        elif isinstance(report, Report):
            self.elapsed_s, self.users, self.backlog = report.elapsed_s, report.users, report.backlog
        return requests, schedule

    def _count(self, requests: Recording, schedule: Recording) -> None:
        dispatched = schedule.count(endpoint=DISPATCH)
        self.requests += requests.total
        self.not_sent += requests.count(outcomes=(Outcome.NOT_SENT,))
        self.dispatched += dispatched
        self.iterations += schedule.total - dispatched
