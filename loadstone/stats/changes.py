"""Change points in a series of runs: where the level moved, at a false-alarm rate for the whole series.

Candidates are the segmentation that PELT finds for shifts of the mean (Killick, Fearnhead &
Eckley 2012, J. Am. Stat. Assoc. 107, 1590-1598), through `ruptures`. A candidate is kept where
Welch's t test of the runs on both sides, up to the next candidates, has a p-value of at most
alpha / n: a union bound over the n places at which a change could have been. Candidates that
are not kept are taken out one at a time, the weakest first, and the rest is tested anew.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loadstone.stats.special import FloatArray

LEAST = 4
"""Runs on each side of a change: fewer tell a level from an outlier no more."""
_PENALTY = 2.0
"""Of PELT, in log(n) times the variance: few real changes are missed, the t test sees to the rest."""


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """The level moved before this run."""

    index: int
    """Of the first run on the new level."""
    change: float
    """Of the mean, in the series' unit."""
    low: float
    high: float
    p_value: float


def change_points(
    series: FloatArray, *, alpha: float = 0.01, level: float = 0.95, counted: bool = False
) -> list[ChangePoint]:
    """Return where the mean of `series` [n] moved.

    Args:
        series: values in the order of the runs, such as log ratios.
        alpha: how often a series without any change has one found in it.
        level: of the intervals of single changes.
        counted: the values are exact, so that every step is a change.
    """
    values = np.asarray(series, dtype=np.float64)
    if counted:
        return _exact(values)
    count = values.size
    spread = _spread(values) if count >= 2 * LEAST else 0.0
    if spread <= 0.0:
        return []
    import ruptures  # noqa: PLC0415 - it takes long, and every command would wait for it

    model = ruptures.KernelCPD(kernel="linear", min_size=LEAST).fit((values / spread).reshape(-1, 1))
    ends = [int(one) for one in model.predict(pen=_PENALTY * math.log(count))][:-1]
    while ends:
        found = [_tested(values, ends, place, level) for place in range(len(ends))]
        weakest = max(range(len(ends)), key=lambda place: found[place].p_value)
        if found[weakest].p_value <= alpha / count:
            return found
        del ends[weakest]
    return []


def joint_change(
    left: FloatArray, right: FloatArray, links: int, *, alpha: float, level: float = 0.95
) -> tuple[float, float, float, float] | None:
    """Return change, interval and p-value where the mean moved at the joint of two chains; else None.

    Args:
        left: the last level of one chain [n].
        right: the first level of the next [m], joined through its base.
        links: how many runs of `left` the base's own level is known from: it is no surer than they are.
        alpha: largest p-value that tells a change.
        level: of the interval.
    """
    if min(left.size, right.size) < LEAST:
        return None
    from scipy import stats  # noqa: PLC0415 - as ruptures

    spread = (float(left.var(ddof=1)) + float(right.var(ddof=1))) / 2
    error = math.sqrt(spread * (1 / left.size + 1 / right.size + 1 / max(links, 1)))
    change, df = float(right.mean() - left.mean()), min(left.size, right.size) - 1
    if error <= 0.0:
        return None
    p_value = float(2 * stats.t.sf(abs(change) / error, df))
    half = float(stats.t.ppf((1 + level) / 2, df)) * error
    return (change, change - half, change + half, p_value) if p_value <= alpha else None


def _tested(values: FloatArray, ends: Sequence[int], place: int, level: float) -> ChangePoint:
    start = ends[place - 1] if place else 0
    stop = ends[place + 1] if place + 1 < len(ends) else values.size
    from scipy import stats  # noqa: PLC0415 - as ruptures

    left, right = values[start : ends[place]], values[ends[place] : stop]
    change = float(right.mean() - left.mean())
    test = stats.ttest_ind(right, left, equal_var=False)
    interval = test.confidence_interval(level)
    return ChangePoint(ends[place], change, float(interval.low), float(interval.high), float(test.pvalue))


def _spread(values: FloatArray) -> float:
    """Return the SD of single runs, from differences of neighbours: steps hardly matter to it.

    1.4826 times the median absolute deviation is the SD of normal noise; where most neighbours
    are equal that is nothing, and the plain SD stands in for it.
    """
    steps = np.abs(np.diff(values))
    return float(1.4826 * np.median(steps) / math.sqrt(2.0)) or float(values.std())


def _exact(values: FloatArray) -> list[ChangePoint]:
    """Return every step of a series without noise."""
    steps = np.flatnonzero(np.diff(values))
    return [
        ChangePoint(int(at) + 1, change, change, change, 0.0)
        for at in steps
        for change in [float(values[at + 1] - values[at])]
    ]
