"""Series of runs made comparable: ratios against the base, chained where the base changes.

Every run compares head and base on one machine, side by side. So its ratio stays what it is
when the machine is replaced, and a series is put together from ratios alone: the level of a
head is the level of its base times the ratio, on the log scale a sum. A base that was measured
as a head has the level found then (the mean, if it was several times); a base that nobody
measured begins a new chain, at the level of the run before, and that is told.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from loadstone.record.history import HistoryRow
from loadstone.stats.changes import ChangePoint, change_points, joint_change


@dataclass(frozen=True, slots=True)
class Point:
    """One run of a series."""

    row: HistoryRow
    level: float
    """Log ratio to the first base, or the level itself where it is counted or a share."""
    joined: bool
    """Whether its base is known from an earlier run, or is that run's base."""


@dataclass(frozen=True, slots=True)
class Series:
    """One metric of one endpoint over time."""

    experiment: str
    metric: str
    endpoint: str
    unit: str
    ratio: bool
    points: tuple[Point, ...]
    changes: tuple[ChangePoint, ...]
    stepwise: bool
    """Whether each run is compared with the run before it: then every run is a test of its own."""


def make_series(
    rows: Iterable[HistoryRow],
    *,
    metrics: Sequence[str] = (),
    endpoints: Sequence[str] = (),
    alpha: float = 0.01,
) -> list[Series]:
    """Return the series of a history with their change points.

    Args:
        rows: in the order of their runs.
        metrics: to keep; none: all.
        endpoints: to keep, empty for all together; none: all.
        alpha: how often a series without a change has one found in it.
    """
    groups: dict[tuple[str, str, str], list[HistoryRow]] = defaultdict(list)
    for one in rows:
        if (not metrics or one.metric in metrics) and (not endpoints or one.endpoint in endpoints):
            groups[one.experiment, one.metric, one.endpoint].append(one)
    return [_series(group, alpha) for group in groups.values()]


def _series(rows: list[HistoryRow], alpha: float) -> Series:
    first = rows[0]
    ratio = first.kind == "ratio"
    points = _chained(rows) if ratio else [Point(one, one.after, joined=True) for one in rows]
    steps = ratio and _stepwise(rows)
    if steps:
        changes = _steps(rows, alpha)
    elif ratio:
        changes = _along(points, alpha)
    else:
        levels = np.array([one.level for one in points])
        changes = change_points(levels, alpha=alpha, counted=first.kind == "exact")
    return Series(
        experiment=first.experiment,
        metric=first.metric,
        endpoint=first.endpoint,
        unit=first.unit,
        ratio=ratio,
        points=tuple(points),
        changes=tuple(changes),
        stepwise=steps,
    )


def _chained(rows: Sequence[HistoryRow]) -> list[Point]:
    known: dict[str, list[float]] = {rows[0].base: [0.0]}
    anchors: dict[str, float] = {rows[0].base: 0.0}
    found: list[Point] = []
    for row in rows:
        joined = row.base in known
        if row.base not in anchors:
            # fixed from its first use on, so that a series does not move when a base is measured again
            seen = known.get(row.base)
            anchors[row.base] = sum(seen) / len(seen) if seen else found[-1].level if found else 0.0
        level = anchors[row.base] + math.log1p(max(row.estimate, -0.999999))
        known.setdefault(row.head, []).append(level)
        found.append(Point(row, level, joined))
    return found


def _along(points: Sequence[Point], alpha: float) -> list[ChangePoint]:
    """Return the changes within each chain of one base, and at the joints of chains.

    A new base's level is known from few runs, often from one: what all that follow owe to that
    error must not be taken for a change.
    """
    levels = np.array([one.level for one in points])
    starts = [
        0,
        *(at for at, (left, right) in enumerate(pairwise(points), 1) if left.row.base != right.row.base),
    ]
    ends = [*starts[1:], len(points)]
    share = alpha / (2 * len(starts))
    found: list[ChangePoint] = []
    last = 0
    for start, end in zip(starts, ends, strict=True):
        own = change_points(levels[start:end], alpha=share)
        inner = [replace(one, index=one.index + start) for one in own]
        if start and points[start].joined:
            first_end = inner[0].index if inner else end
            links = sum(one.row.head == points[start].row.base for one in points[:start])
            told = joint_change(levels[last:start], levels[start:first_end], links, alpha=share)
            found += [ChangePoint(start, *told)] if told else []
        found += inner
        last = inner[-1].index if inner else start
    return found


def _stepwise(rows: Sequence[HistoryRow]) -> bool:
    """Tell whether most runs have the run before as their base: their chain is a random walk."""
    linked = sum(right.base == left.head for left, right in pairwise(rows))
    return len(rows) > 1 and linked > (len(rows) - 1) / 2


def _steps(rows: Sequence[HistoryRow], alpha: float) -> list[ChangePoint]:
    """Return the runs that changed something by themselves, a union bound over all of them."""
    return [
        ChangePoint(
            index,
            math.log1p(one.estimate),
            math.log1p(max(one.low, -0.999999)),
            math.log1p(one.high),
            one.p_value,
        )
        for index, one in enumerate(rows)
        if one.p_value is not None and one.p_value <= alpha / len(rows)
    ]
