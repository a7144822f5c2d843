"""One block of load on all workers together: shares, reports, who died and who came late, and the sum."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import msgspec

from loadstone.config.rates import parse_rate
from loadstone.errors import MeasurementError
from loadstone.record.recording import Recording
from loadstone.workload.arrivals import Arrivals
from loadstone.workload.epochs import Epochs
from loadstone.workload.load_protocol import (
    Ack,
    BlockDone,
    Numbered,
    Reshare,
    Reshared,
    RunBlock,
    RunCrowd,
    Second,
)
from loadstone.workload.load_sum import Sum
from loadstone.workload.protocol import Failed
from loadstone.workload.reports import Inbox
from loadstone.workload.team import Gone, Letter, Team

OnSecond = Callable[[Second, Recording, Recording], bool]
"""Takes a second and all that was recorded so far (requests, schedule); returns whether to go on."""
HEAD_START_NS: Final = 200_000_000
"""Between the order and a zero that several workers share, so that all are ready for it."""
LEAD_NS: Final = 1_000_000_000
"""Between the opening of an epoch and its first arrival, so that everybody knows of it in time."""
SILENCE_S: Final = 15.0
"""A worker that reports nothing for so long is given up."""
POLL_S: Final = 0.25


class Block:
    """A block, or a crowd, while it goes on.

    Args:
        team: whoever is there takes part.
        order: for everybody.
        on_second: called for every second that all have reported.
        aside: takes the letters of workers that do not take part (yet).
        settle: called when everybody is done, before the sum: reads clocks again.
    """

    def __init__(
        self,
        team: Team,
        order: RunBlock | RunCrowd,
        on_second: OnSecond,
        aside: Callable[[Letter], None] = lambda _letter: None,
        settle: Callable[[], None] = lambda: None,
    ) -> None:
        self._team = team
        self._order = order
        self._on_second = on_second
        self._aside = aside
        self._settle = settle
        self._epochs = Epochs(team.names())
        self._arrivals: Arrivals | None = None
        if isinstance(order, RunBlock):
            rate = parse_rate(order.rate)
            self._arrivals = Arrivals(rate, order.start_s, order.stop_s, tuple(order.key))
        self._inboxes = {name: Inbox(name, order.number) for name in team.names()}
        self._clocks = {name: team.workers[name].clock for name in team.names()}
        self._ended: dict[str, str] = {}
        self._requests, self._schedule = Recording(), Recording()
        self._told_s = 0
        self._go_on = True
        self._mismatch = ""
        self._heard: dict[str, float] = {}
        self._zero_ns = 0

    def run(self) -> tuple[BlockDone, Recording, Recording]:
        """Carry it out; return how it went, and the recordings of requests and schedule.

        Raises:
            MeasurementError: nobody is left, or somebody could not do it, or reports nonsense.
        """
        self._start()
        while waiting := self._waiting():
            letter = self._team.next(POLL_S)
            if letter is not None:
                self._take(letter)
                self._tell()
            for name in waiting:
                if time.monotonic() - self._heard[name] > SILENCE_S:
                    self._lose(name, f"reported nothing for {SILENCE_S:.0f} s")
        return self._finish()

    def join(self, name: str) -> None:
        """Let a worker that is ready take part from a later arrival on, where there is one."""
        if not isinstance(self._order, RunBlock) or self._arrivals is None or not self._go_on:
            return
        first = self._first_free()
        if first is None:
            return
        self._inboxes[name] = Inbox(name, self._order.number)
        self._clocks[name] = self._team.workers[name].clock
        self._heard[name] = time.monotonic()
        self._open(first, [*self._team.names(self._epochs.now.workers), name])
        self._send(name)

    def _start(self) -> None:
        everybody = self._team.names()
        if not everybody:
            raise MeasurementError("no worker is left", remedy="see generator.log in the run folder")
        shared = len(everybody) > 1 or self._team.joinable
        now_ns = time.perf_counter_ns()
        # one worker alone begins when it is ready; the master's zero is then about right
        self._zero_ns = now_ns + (HEAD_START_NS if shared else 0)
        self._shared = shared
        for name in everybody:
            self._heard[name] = time.monotonic()
            self._send(name)

    def _send(self, name: str) -> None:
        order, now = self._order, self._epochs.now.workers
        if isinstance(order, RunBlock):
            zero_ns = self._clocks[name].there(self._zero_ns) if self._shared else 0
            order = msgspec.structs.replace(order, shares=self._shares(name), zero_ns=zero_ns)
        elif len(now) > 1:
            order = _part(order, now.index(name), len(now))
        self._team.write(name, order)

    def _shares(self, name: str) -> list[tuple[int, int, int | None]]:
        return [(share.first, share.workers, share.place) for share in self._epochs.shares(name)]

    def _waiting(self) -> list[str]:
        return [
            name for name, inbox in self._inboxes.items() if inbox.done is None and name not in self._ended
        ]

    def _take(self, letter: Letter) -> None:
        name, content = letter.worker, letter.content
        if name not in self._inboxes:
            self._aside(letter)
            return
        self._heard[name] = time.monotonic()
        if isinstance(content, Gone):
            self._lose(name, content.reason)
        elif isinstance(content, Numbered):
            self._count(name, content)
        elif isinstance(content, Reshared):
            if not content.accepted:
                self._mismatch = self._mismatch or f"{name} learnt too late that others came or went"
        elif isinstance(content, Failed):
            raise MeasurementError(content.problem, cause=content.cause, remedy=content.remedy)
        else:
            self._aside(letter)

    def _count(self, name: str, report: Numbered) -> None:
        taken = self._inboxes[name].take(report)
        if report.block != self._order.number:  # it is over, and who sent it again knows that by now
            return
        if taken is not None:
            self._requests.add(taken[0])
            self._schedule.add(taken[1])
        self._team.write(name, Ack(seq=report.seq, go_on=self._go_on))

    def _tell(self) -> None:
        """Say what is going on whenever everybody that is still at it has reported another second."""
        at_it = [self._inboxes[name] for name in self._waiting()]
        if not at_it:
            return
        reached = min(inbox.elapsed_s for inbox in at_it)
        while self._told_s < reached:
            self._told_s += 1
            second = Second(
                elapsed_s=self._told_s,
                users=sum(inbox.users for inbox in at_it),
                backlog=sum(inbox.backlog for inbox in at_it),
                cpu_s=max(inbox.cpu_s for inbox in at_it),
            )
            self._go_on = self._on_second(second, self._requests, self._schedule) and self._go_on

    def _lose(self, name: str, reason: str) -> None:
        """Note that a worker is gone, and hand what is not due yet to the others."""
        self._team.lose(name, reason)
        if self._inboxes[name].done is not None:
            return
        self._ended[name] = reason
        left = self._team.names(self._epochs.now.workers)
        if not left:
            raise MeasurementError(
                "the load generator hung up" if len(self._inboxes) == 1 else "every load generator is gone",
                cause=f"{name}: {reason}",
                remedy="see generator.log in the run folder",
            )
        if self._arrivals is not None and self._go_on:
            first = self._first_free()
            if first is not None:
                self._open(first, left)

    def _first_free(self) -> int | None:
        """Return the first arrival that can still change hands; None: there is none."""
        if self._arrivals is None:
            return None
        lead_ns = LEAD_NS + 2 * self._team.clock_bound_ns
        first = self._arrivals.first_due(time.perf_counter_ns() + lead_ns - self._zero_ns)
        return first if first < self._arrivals.count(until=first + 1) else None

    def _open(self, first: int, workers: list[str]) -> None:
        known = set(self._epochs.everybody)
        self._epochs.open(first, workers)
        for name in workers:
            if name in known:
                self._team.write(name, Reshare(shares=self._shares(name)))

    def _finish(self) -> tuple[BlockDone, Recording, Recording]:
        self._settle()
        total = Sum(
            epochs=self._epochs,
            inboxes=self._inboxes,
            ended=self._ended,
            clocks=self._clocks,
            now={name: worker.clock for name, worker in self._team.workers.items()},
            arrivals=self._arrivals,
            ended_early=not self._go_on,
        )
        variant = self._order.side if isinstance(self._order, RunBlock) else 0
        total.record_lost(self._requests, variant, self._told_s)
        return total.done(self._requests.total, self._mismatch), self._requests, self._schedule


def _part(order: RunCrowd, place: int, workers: int) -> RunCrowd:
    """Return a worker's part of a crowd."""
    return msgspec.structs.replace(
        order,
        users=order.users // workers + (place < order.users % workers),
        spawn_rate=order.spawn_rate / workers,
        key=[*order.key, "worker", place] if place else order.key,
        place=place,
        workers=workers,
    )
