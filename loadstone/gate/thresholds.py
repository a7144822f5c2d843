"""Watching thresholds second by second: pure functions of what each second brought.

A quantile is the smallest value that at least that share of the requests did not
exceed. Requests that timed out, or were never sent, have no end: they count as
longer than any limit. Other failures have no time at all, and count as errors.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from loadstone.config.thresholds import Threshold, Unit

ENDLESS = ("timeout", "not sent")
"""Classes of requests that were given up: longer than can be told. The lag of the first is known."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What one second brought at one endpoint."""

    outcomes: Mapping[str, int]
    """Requests by class, one of `config.thresholds.CLASSES`."""
    times_us: Mapping[str, Mapping[float, int]] = field(default_factory=dict)
    """`response`, `service`, `lag` -> microseconds -> requests that ended well."""


class Status(StrEnum):
    """How a threshold fared."""

    KEPT = "kept"
    BROKEN = "broken"
    UNKNOWN = "unknown"
    """Too few requests to tell, or none at all."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A threshold, and the worst that was seen of it."""

    threshold: Threshold
    status: Status
    worst: float | None
    """In the limit's unit; infinite where it falls among requests that never ended."""
    at_s: int = 0
    """Second at which the worst window, or the first broken one, ended."""
    requests: int = 0
    """In that window."""


class Watch:
    """Keeps one threshold's window, and the worst that it saw."""

    def __init__(self, threshold: Threshold) -> None:
        self.threshold = threshold
        self._seconds: deque[tuple[Tally, float]] = deque()
        self._sum = _Sum()
        self._elapsed = 0
        self._worst: Finding | None = None

    def add(self, tally: Tally, planned: float) -> bool:
        """Take one more second; return whether the run should be aborted now.

        Args:
            tally: of the threshold's endpoint, or of all together.
            planned: arrivals that the plan had in this second.
        """
        window_s = self.threshold.window_s
        self._elapsed += 1
        self._sum.add(tally, planned, 1)
        if not window_s:
            return False
        self._seconds.append((tally, planned))
        if len(self._seconds) > window_s:
            self._sum.add(*self._seconds.popleft(), 1, sign=-1)
        if len(self._seconds) < window_s:
            return False
        finding = self._judge()
        self._keep(finding)
        return finding.status is Status.BROKEN and self.threshold.abort

    def close(self, rest: Tally, planned: float, seconds: float) -> None:
        """Take what ended after the last whole second as part of its window: answers of the drain."""
        self._sum.add(rest, planned, seconds)
        if self.threshold.window_s and len(self._seconds) == self.threshold.window_s:
            self._keep(self._judge())

    def finding(self) -> Finding:
        """Return how the threshold fared so far; a run shorter than its window is judged as one."""
        return self._worst or self._judge()

    def _judge(self) -> Finding:
        value = self._sum.measure(self.threshold)
        if value is None:
            status = Status.UNKNOWN
        else:
            status = Status.KEPT if self.threshold.holds(value) else Status.BROKEN
        return Finding(self.threshold, status, value, self._elapsed, self._sum.requests())

    def _keep(self, finding: Finding) -> None:
        """The first broken window stays; until then, the worst of those that could be judged."""
        worst = self._worst
        if worst is None or worst.worst is None:
            self._worst = finding
        elif worst.status is not Status.BROKEN and finding.worst is not None:
            upward = self.threshold.operator.startswith("<")
            if finding.worst > worst.worst if upward else finding.worst < worst.worst:
                self._worst = finding


def watch_all(thresholds: Iterable[Threshold]) -> list[Watch]:
    """Return a watch for each threshold."""
    return [Watch(threshold) for threshold in thresholds]


def feed(watches: Iterable[Watch], seconds: Mapping[str, Tally], planned: float) -> list[Watch]:
    """Give one second to all watches; return those that want the run to end.

    Args:
        watches: of one run.
        seconds: the second's tallies by endpoint.
        planned: arrivals that the plan had in this second.
    """
    together = merge(seconds.values())
    nothing = Tally({})
    wanting = []
    for watch in watches:
        endpoint = watch.threshold.endpoint
        tally = together if endpoint is None else seconds.get(endpoint, nothing)
        if watch.add(tally, planned):
            wanting.append(watch)
    return wanting


def close(
    watches: Iterable[Watch], rest: Mapping[str, Tally], planned: float = 0.0, seconds: float = 0.0
) -> None:
    """Give all watches what ended after the last whole second.

    Args:
        watches: of one run.
        rest: its tallies by endpoint.
        planned: arrivals that the plan had after that second.
        seconds: by which the plan was longer; the drain is no part of it.
    """
    together = merge(rest.values())
    for watch in watches:
        endpoint = watch.threshold.endpoint
        watch.close(together if endpoint is None else rest.get(endpoint, Tally({})), planned, seconds)


def merge(tallies: Iterable[Tally]) -> Tally:
    """Return the sum of tallies."""
    total = _Sum()
    for tally in tallies:
        total.add(tally)
    return Tally(total.outcomes, total.times_us)


class _Sum:
    """A window's contents, from which seconds can be taken away again."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.times_us: dict[str, Counter[float]] = {}
        self.planned = 0.0
        self.seconds = 0.0

    def add(self, tally: Tally, planned: float = 0.0, seconds: float = 0.0, *, sign: int = 1) -> None:
        for outcome, count in tally.outcomes.items():
            self.outcomes[outcome] += sign * count
        for name, values in tally.times_us.items():
            mine = self.times_us.setdefault(name, Counter())
            for value, count in values.items():
                mine[value] += sign * count
                if not mine[value]:
                    del mine[value]
        self.planned += sign * planned
        self.seconds += sign * seconds

    def requests(self) -> int:
        return sum(self.outcomes.values())

    def measure(self, threshold: Threshold) -> float | None:
        """Return what the threshold limits, in its unit; None where it cannot be told."""
        requests = self.requests()
        if threshold.measure == "rate":
            return self._rate(threshold.unit)
        if threshold.measure in {"errors", "class"}:
            hit = self.outcomes[threshold.outcome or "ok"]
            hit = requests - hit - self.outcomes["3xx"] if threshold.measure == "errors" else hit
            return hit / requests if requests else None
        values = self.times_us.get(threshold.time, Counter())
        given_up = ENDLESS[1:] if threshold.time == "lag" else ENDLESS
        endless = sum(self.outcomes[outcome] for outcome in given_up)
        if threshold.measure == "mean":
            total = sum(value * count for value, count in values.items())
            ended = sum(values.values())
            return math.inf if endless else total / ended if ended else None
        q = 1.0 if threshold.measure == "max" else threshold.quantile
        return quantile(values, q, endless=endless)

    def _rate(self, unit: Unit) -> float | None:
        answered = self.requests() - self.outcomes["not sent"]
        if unit is Unit.PER_SECOND:
            return answered / self.seconds if self.seconds else None
        return answered / self.planned if self.planned > 0 else None


def quantile(values: Mapping[float, int], q: float, *, endless: int = 0) -> float | None:
    """Return quantile `q` of counted values, of which `endless` more exceed all others.

    None where there are fewer than 1/(1 - q) requests: a window of fifty says nothing of p99.
    """
    count = sum(values.values()) + endless
    if not count or (q < 1 and round(count * (1 - q), 9) < 1):
        return None
    rank = max(1, math.ceil(round(q * count, 9)))
    seen = 0
    for value in sorted(values):
        seen += values[value]
        if seen >= rank:
            return value
    return math.inf
