"""The sum over the workers of a block, against what the plan says that it must be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from loadstone.record.histogram import Histogram
from loadstone.record.load_record import WorkerLine
from loadstone.record.observations import Outcome
from loadstone.record.recording import Key, Recording, Times
from loadstone.workload.arrivals import Arrivals
from loadstone.workload.clocks import Reading
from loadstone.workload.epochs import Epochs
from loadstone.workload.load_protocol import BlockDone
from loadstone.workload.reports import Inbox

LOST = "(lost with a worker)"
"""Endpoint of arrivals of which nothing was told; they count as not sent."""


@dataclass(eq=False)
class Sum:
    """What the workers of a block said.

    Args:
        epochs: who was to send what.
        inboxes: by worker.
        ended: workers that died, and why.
        clocks: of the workers when it began; `now`: as they are known now.
        arrivals: of the open model.
        ended_early: whether the block was ended before its plan.
    """

    epochs: Epochs
    inboxes: Mapping[str, Inbox]
    ended: Mapping[str, str]
    clocks: Mapping[str, Reading]
    now: Mapping[str, Reading]
    arrivals: Arrivals | None
    ended_early: bool

    def record_lost(self, requests: Recording, variant: int, second: int) -> None:
        """Add the arrivals of which nothing was told, as not sent."""
        lost = sum(line.lost for line in self.lines)
        if lost:
            none = Histogram.of(np.zeros(lost, dtype=np.int64))
            requests.add_second(second, {Key(variant, LOST, Outcome.NOT_SENT): Times(none, none, none)})

    def done(self, merged: int, mismatch: str) -> BlockDone:
        """Return how the block went.

        Args:
            merged: requests in the recording that all reports were added to, lost ones included.
            mismatch: what is known to be wrong already.
        """
        dones = [inbox.done for inbox in self.inboxes.values() if inbox.done is not None]
        lines, first = self.lines, next((one.first_error for one in dones if one.first_error), "")
        lost = sum(line.lost for line in lines)
        return BlockDone(
            due=sum(line.due for line in lines),
            begun=sum(line.begun for line in lines),
            not_sent=sum(inbox.not_sent for inbox in self.inboxes.values()),
            unfinished=sum(one.unfinished for one in dones),
            users=sum(one.users for one in dones),
            backlog=sum(one.backlog for one in dones),
            scenario_errors=sum(one.scenario_errors for one in dones),
            first_error=first,
            duration_s=max(one.duration_s for one in dones),
            cpu_s=max(inbox.cpu_s for inbox in self.inboxes.values()),
            clock_drift_s=max((one.clock_drift_s for one in dones), key=abs),
            planned=None if self.arrivals is None else sum(map(self._expected, self.inboxes)),
            lost=lost,
            mismatch=mismatch or self._mismatch(merged - lost),
            workers=lines,
        )

    @cached_property
    def lines(self) -> list[WorkerLine]:
        """Each worker's own account."""
        return [self._line(name) for name in self.inboxes]

    def _line(self, name: str) -> WorkerLine:
        inbox, done = self.inboxes[name], self.inboxes[name].done
        due = done.due if done else self._expected(name)
        lost = 0 if done else max(0, due - inbox.told)
        before, after = self.clocks[name], self.now.get(name, self.clocks[name])
        foreign = before.bound_ns > 0  # the master's own clock needs no bound
        return WorkerLine(
            name=name,
            due=due,
            begun=done.begun if done else due - lost - inbox.not_sent,
            requests=inbox.requests,
            lost=lost,
            cpu_s=inbox.cpu_s,
            duration_s=done.duration_s if done else float(inbox.elapsed_s),
            reports=inbox.taken,
            repeated=inbox.repeated,
            first=next(epoch.first for epoch in self.epochs.epochs if name in epoch.workers),
            ended=self.ended.get(name, ""),
            clock_offset_us=before.offset_ns / 1000 if foreign else None,
            clock_bound_us=max(before.bound_ns, after.bound_ns) / 1000,
            clock_moved_us=after.moved_ns(before) / 1000,
        )

    def _expected(self, name: str) -> int:
        """Return how many arrivals were a worker's, until the block's end."""
        return self._expectations[name]

    @cached_property
    def _expectations(self) -> dict[str, int]:
        return {name: self._count(name) for name in self.inboxes}

    def _count(self, name: str) -> int:
        if self.arrivals is None:
            return self.inboxes[name].iterations
        done = self.inboxes[name].done
        until = None
        if self.ended_early:
            ends = [inbox.done.last for inbox in self.inboxes.values() if inbox.done is not None]
            until = (done.last if done is not None else max(ends, default=-1)) + 1
        return self.arrivals.count(self.epochs.shares(name), until)

    def _mismatch(self, merged: int) -> str:
        told = sum(inbox.done.recorded if inbox.done else inbox.requests for inbox in self.inboxes.values())
        if told != merged:
            return f"the workers recorded {told} requests, and their merged record holds {merged}"
        for name, inbox in self.inboxes.items():
            expected = self._expected(name)
            if self.arrivals is not None and inbox.done is not None and inbox.done.due != expected:
                return f"{name} handed out {inbox.done.due} arrivals, and the plan gave it {expected}"
        return next(filter(None, map(self._excess, self.inboxes)), "")

    def _excess(self, name: str) -> str:
        """Say where a worker told of more arrivals than its share: some were carried out or counted twice."""
        if self.arrivals is None:
            return ""
        told, share = self.inboxes[name].told, self.arrivals.count(self.epochs.shares(name))
        return f"{name} carried out {told} arrivals, and the plan gave it {share}" if told > share else ""
