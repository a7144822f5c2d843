"""The most load that keeps a service-level objective: which rate to try next, and what the tries say.

A search grows its rate until the objective breaks and then bisects, on a log scale,
between the highest rate that kept it and the lowest that broke it. Only valid
windows count: one in which the generator itself fell behind is tried again, and
where that does not help the generator is the limit, not the server. A window that
breaks the objective may be a moment's bad luck, which would end a search far too low:
where it is to be confirmed, the majority of up to three decides. Each search starts at
a rate of its own, so that several searches do not share one grid of rates; their
geometric mean and its t interval are the result.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from loadstone.errors import ConfigurationError, MeasurementError
from loadstone.stats.special import FloatArray, t_critical
from loadstone.stats.streams import Part, stream

GROWTH = 2.0
RESOLUTION = 0.03
"""Relative width of the bracket at which a search ends."""
MOST_INVALID = 3
"""Times that a rate is tried before its windows count as beyond the generator."""
MOST_TRIES = 60
MOST_VOTES = 3
_KNEE_POINTS = 3


class Trial(StrEnum):
    """What a window at one rate showed."""

    KEPT = "kept"
    BROKEN = "broken"
    INVALID = "invalid"


class Limit(StrEnum):
    """What ended a search."""

    OBJECTIVE = "objective"
    """The bracket is narrow enough: the ordinary end."""
    GENERATOR = "generator"
    """The generator cannot send more: the capacity is at least what is told."""
    CEILING = "ceiling"
    """The highest rate that may be tried kept the objective."""
    FLOOR = "floor"
    """Not even the lowest rate keeps the objective."""
    TRIES = "tries"


@dataclass
class Search:
    """One search for the highest rate that keeps the objective.

    Args:
        start_rps: where to begin.
        least_rps, most_rps: between which to look.
        resolution: relative width of the final bracket.
        growth: factor of the first step; steps grow up to `GROWTH` until both ends are known.
        confirm: whether a window that broke the objective is measured again before it counts.
    """

    start_rps: float
    least_rps: float = 1.0
    most_rps: float = 1e6
    resolution: float = RESOLUTION
    growth: float = GROWTH
    confirm: bool = False
    tried: list[tuple[float, Trial]] = field(default_factory=list)
    """Every window, in order."""
    limit: Limit | None = None
    _kept: float = 0.0
    _broken: float = math.inf
    _unsendable: float = math.inf
    _invalid: int = 0
    _votes: list[Trial] = field(default_factory=list)
    _step: float = GROWTH
    _next: float = 0.0

    def __post_init__(self) -> None:
        between = 0 < self.least_rps <= self.start_rps <= self.most_rps
        if not between or self.resolution <= 0 or self.growth <= 1:
            raise ConfigurationError(
                f"no search begins at {self.start_rps:g} requests/s",
                cause=f"it looks between {self.least_rps:g} and {self.most_rps:g}",
                remedy="begin between the two",
            )
        self._step = min(self.growth, GROWTH)
        self._next = self.start_rps

    @property
    def next_rps(self) -> float | None:
        """The rate to try now; None when the search is over."""
        return None if self.limit else self._next

    @property
    def bracket(self) -> tuple[float, float]:
        """Highest rate that kept the objective (0: none), lowest that broke it (infinite: none)."""
        return self._kept, self._broken

    @property
    def capacity_rps(self) -> float:
        """The result: the bracket's middle on a log scale, or the bound that ended the search."""
        if self.limit is Limit.FLOOR:
            return 0.0
        if self.limit in {Limit.GENERATOR, Limit.CEILING} or math.isinf(self._broken):
            return self._kept
        return math.sqrt(self._kept * self._broken)

    def report(self, trial: Trial) -> None:
        """Take what the window at `next_rps` showed, and choose the next rate or end."""
        rps = self._next
        self.tried.append((rps, trial))
        if trial is Trial.INVALID:
            self._invalid += 1
            if self._invalid < MOST_INVALID:
                return
            self._unsendable = min(self._unsendable, rps)
        else:
            self._votes.append(trial)
            kept, broken = self._votes.count(Trial.KEPT), self._votes.count(Trial.BROKEN)
            if kept > broken:
                self._kept = max(self._kept, rps)
            elif len(self._votes) == MOST_VOTES or broken > kept + self.confirm:
                self._broken = min(self._broken, rps)
            else:
                return
        self._invalid = 0
        self._votes.clear()
        self._choose()

    def _choose(self) -> None:
        top = min(self._broken, self._unsendable)
        narrow = self._kept > 0 and top / self._kept <= 1 + self.resolution
        if self._kept >= self.most_rps:
            self.limit = Limit.CEILING
        elif top <= self.least_rps:
            self.limit = Limit.FLOOR if self._broken <= self.least_rps else Limit.GENERATOR
        elif narrow:
            self.limit = Limit.OBJECTIVE if self._broken <= self._unsendable else Limit.GENERATOR
        elif len(self.tried) >= MOST_TRIES:
            self.limit = Limit.TRIES
        elif self._kept == 0:
            self._next = max(self.least_rps, top / self._lengthened())
        elif math.isinf(top):
            self._next = min(self.most_rps, self._kept * self._lengthened())
        else:
            self._next = math.sqrt(self._kept * top)

    def _lengthened(self) -> float:
        """Return the factor of this step, and make the next one's larger."""
        step, self._step = self._step, min(GROWTH, self._step**2)
        return step


def start_rate(guess_rps: float, *parts: Part) -> float:
    """Return a rate within a factor of sqrt(2) of `guess_rps`, uniform on a log scale: a search's start."""
    return guess_rps * 2 ** (stream(*parts, "capacity start").random() - 0.5)


@dataclass(frozen=True, slots=True)
class Capacity:
    """What repeated searches say together."""

    rps: float
    """Geometric mean of the searches."""
    low_rps: float
    high_rps: float
    """t interval; where a search met a bound instead of the objective, the true value is higher."""
    level: float
    searches: int
    limits: tuple[Limit, ...]

    @property
    def bounded(self) -> bool:
        """Whether every search ended at the objective; otherwise the capacity is only known in part."""
        return all(limit is Limit.OBJECTIVE for limit in self.limits)


def combine_searches(searches: Sequence[Search], level: float = 0.95) -> Capacity:
    """Return the capacity over searches that are over.

    The half-width of each bracket counts as a rounding error (SD = width / sqrt(12)),
    below which the spread of the searches is not believed.

    Raises:
        MeasurementError: fewer than 2 searches, or one that is not over.
    """
    if len(searches) < 2 or any(search.limit is None for search in searches):  # noqa: PLR2004 - for a spread
        raise MeasurementError(
            "the capacity needs two or more whole searches", remedy="let it search for longer"
        )
    found = np.array([search.capacity_rps for search in searches])
    limits = tuple(search.limit for search in searches if search.limit is not None)
    if (found <= 0).any():
        return Capacity(0.0, 0.0, 0.0, level, len(searches), limits)
    rounding = math.log1p(max(search.resolution for search in searches)) / math.sqrt(12)
    centre, half = _t_interval(np.log(found), rounding, level)
    low, high = math.exp(centre - half), math.exp(centre + half)
    return Capacity(math.exp(centre), low, high, level, len(searches), limits)


@dataclass(frozen=True, slots=True)
class Gain:
    """What the capacity of one variant is to that of another."""

    ratio: float
    """After against before, geometric mean over generations."""
    low: float
    high: float
    level: float
    pairs: int


def combine_gains(before: Sequence[Search], after: Sequence[Search], level: float = 0.95) -> Gain:
    """Return the ratio of two capacities, search by search: the k-th ones ran side by side.

    What both saw of the machine cancels in each log ratio. The rounding of both brackets
    is the least spread that is believed, as in `combine_searches`.

    Raises:
        MeasurementError: fewer than 2 pairs, or a search that did not end at the objective.
    """
    pairs = list(zip(before, after, strict=True))
    if len(pairs) < 2 or any(one.limit is not Limit.OBJECTIVE for pair in pairs for one in pair):  # noqa: PLR2004 - for a spread
        raise MeasurementError("the gain in capacity needs two or more pairs of searches that found one")
    logs = np.array([math.log(other.capacity_rps / one.capacity_rps) for one, other in pairs])
    rounding = math.hypot(*(max(math.log1p(one.resolution) for one in side) for side in (before, after)))
    centre, half = _t_interval(logs, rounding / math.sqrt(12), level)
    return Gain(math.exp(centre), math.exp(centre - half), math.exp(centre + half), level, len(pairs))


def _t_interval(logs: FloatArray, least_sd: float, level: float) -> tuple[float, float]:
    """Return mean and half-width over logs [n], whose spread is believed from `least_sd` on."""
    sd = max(float(logs.std(ddof=1)), least_sd)
    return float(logs.mean()), float(t_critical(1 - level, logs.size - 1)) * sd / math.sqrt(logs.size)


def knee(rps: FloatArray, latency: FloatArray) -> int:
    """Return the index of the knee of a latency curve over ascending rates [n].

    The point farthest below the chord, both axes scaled to [0, 1]: Kneedle for a
    convex increasing curve (Satopää et al. 2011, "Finding a Kneedle in a Haystack").

    Raises:
        MeasurementError: fewer than 3 points, or rates that do not ascend.
    """
    if rps.size < _KNEE_POINTS or latency.size != rps.size or (np.diff(rps) <= 0).any():
        raise MeasurementError("a knee needs three or more points at ascending rates")
    risen = np.maximum.accumulate(latency)
    height = risen[-1] - risen[0]
    x = (rps - rps[0]) / (rps[-1] - rps[0])
    y = (risen - risen[0]) / height if height > 0 else np.zeros_like(x)
    return int(np.argmax(x - y))
