"""How one contrast is judged at any of its looks: an interval, and the p-value that it goes with.

Each rule gives intervals that hold at all looks together, and p-values that may be
read at whichever look ended the run. The two never disagree: the interval at a
false-alarm rate alpha excludes 0 exactly when the p-value is below alpha.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol, Self

from loadstone.errors import ConfigurationError
from loadstone.stats import anytime, sequential
from loadstone.stats.inference import Fit
from loadstone.stats.sequential import Design
from loadstone.stats.special import t_two_sided_p


class Stopping(StrEnum):
    """When a run may end by what it saw."""

    SEQUENTIAL = "sequential"
    """At one of a few planned looks, the last of which is its end: the most power."""
    ANYTIME = "anytime"
    """After any generation; no end is planned."""


class Rule(Protocol):
    """Judges the fits of one contrast."""

    @property
    def alpha(self) -> float:
        """Two-sided false-alarm rate of this contrast over all its looks."""

    def interval(self, fit: Fit) -> tuple[float, float]:
        """Return (low, high), which cover the truth at all looks with probability 1 - alpha.

        Infinite where nothing can be excluded yet; NaN where the fit is unavailable.
        """

    def nominal_p(self, generations: int) -> float:
        """Return the p-value of t(G - 2) below which `generations` exclude 0; 0 where none does."""


@dataclass(frozen=True, slots=True)
class Exact:
    """Group-sequential, its boundaries solved exactly: for the few contrasts that decide."""

    design: Design

    @property
    def alpha(self) -> float:
        """As designed."""
        return self.design.alpha

    def interval(self, fit: Fit) -> tuple[float, float]:
        """Return the repeated confidence interval (Jennison & Turnbull 1989)."""
        look = self.design.look_at(fit.generations)
        if look is None:
            raise _no_look(fit.generations, self.design.looks)
        low, high, _ = sequential.repeated_interval(fit, self.design, look)
        return low, high

    def nominal_p(self, generations: int) -> float:
        """Return the boundary of that look; of the last one for more generations than planned."""
        look = self.design.look_at(generations)
        return self.design.nominal_p[-1 if look is None else look]


@dataclass(frozen=True, slots=True)
class Shared:
    """Group-sequential by Bonferroni over the looks: for any number of diagnostics, at any alpha.

    A look whose share of the spending is s excludes 0 at p <= alpha s. This spends at
    most alpha (by the union bound; the exact boundaries lie a little above), and its
    repeated p-value, the least alpha at which the look excludes 0, is p / s.
    """

    alpha: float
    looks: tuple[int, ...]
    shares: tuple[float, ...]
    """What each look may spend of alpha; they sum to 1."""

    def at(self, alpha: float) -> Self:
        """Return the same rule at another false-alarm rate."""
        return replace(self, alpha=alpha)

    def interval(self, fit: Fit) -> tuple[float, float]:
        """Return the interval at this look's share of alpha."""
        return fit.interval(self.alpha * self._share(fit.generations))

    def p_value(self, fit: Fit) -> float:
        """Return the repeated p-value; NaN where the fit is unavailable."""
        return min(1.0, fit.p_value / self._share(fit.generations)) if fit.available else math.nan

    def nominal_p(self, generations: int) -> float:
        """Return the bar of that look; of the last one for more generations than planned."""
        known = generations in self.looks
        return self.alpha * (self._share(generations) if known else self.shares[-1])

    def _share(self, generations: int) -> float:
        if generations not in self.looks:
            raise _no_look(generations, self.looks)
        return self.shares[self.looks.index(generations)]


@dataclass(frozen=True, slots=True)
class Anytime:
    """No fixed end: the confidence sequence of the mixture t, at any number of generations."""

    alpha: float
    precision: float = anytime.EARLY_PRECISION

    def at(self, alpha: float) -> Self:
        """Return the same rule at another false-alarm rate."""
        return replace(self, alpha=alpha)

    def interval(self, fit: Fit) -> tuple[float, float]:
        """Return the confidence sequence at this number of generations."""
        return anytime.confidence_sequence(fit, self.alpha, precision=self.precision)

    def p_value(self, fit: Fit) -> float:
        """Return 1 / e-value, which at no time is below any alpha more often than it should."""
        if not fit.available:
            return math.nan
        e = anytime.e_value(fit, precision=self.precision)
        return 1.0 if e <= 1.0 else 1.0 / e

    def nominal_p(self, generations: int) -> float:
        """Return the p-value of t(G - 2) at which balanced `generations` exclude 0, by inversion."""
        unit = Fit(0.0, 1.0 / math.sqrt(generations), generations - 2, 1.0, 0.0, 1.0, generations)
        _, high = self.interval(unit)
        return float(t_two_sided_p(high / unit.se, unit.df)) if math.isfinite(high) else 0.0


Family = Shared | Anytime
"""Rules that exist at any alpha, and so can share one among many contrasts."""


def shared(looks: tuple[int, ...], alpha: float, *, end: int | None = None) -> Shared:
    """Return the rule that shares alpha over `looks` as `sequential.plan` spends it.

    Args:
        looks: as planned.
        alpha: two-sided, over all looks.
        end: generations at which a run was cut short, for reasons other than its data:
            a last look there, rounded down to even, spends what is left.
    """
    spent = [sequential.alpha_spent(count / looks[-1], 1.0) for count in looks]
    if end is not None and end - end % 2 < looks[-1]:
        last = end - end % 2
        kept = [count for count in looks if count < last]
        looks, spent = (*kept, last), [*spent[: len(kept)], 1.0]
    shares = (later - earlier for earlier, later in zip([0.0, *spent], spent, strict=False))
    return Shared(alpha, looks, tuple(shares))


def _no_look(generations: int, looks: tuple[int, ...]) -> ConfigurationError:
    return ConfigurationError(
        f"no look is due after {generations} generations",
        cause=f"looks are after {', '.join(map(str, looks))}",
        remedy="judge at planned looks",
    )
