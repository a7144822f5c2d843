"""Group-sequential designs: when to look, and how little chance may explain at each look."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

from loadstone.errors import ConfigurationError
from loadstone.stats import boundaries
from loadstone.stats.inference import Fit
from loadstone.stats.special import normal_cdf, normal_quantile

FIRST_LOOK = 6
LAST_LOOK = 100
"""Beyond, the numerical integration behind the boundaries is no longer exact enough."""
LOWEST_ALPHA, HIGHEST_ALPHA = 1e-4, 0.2
_SAFETY = 0.998
"""Share of alpha that is spent: the rest covers the error of the numerical integration."""


class Spending(StrEnum):
    """How the false-alarm rate is spent over the looks (Lan & DeMets 1983)."""

    OBRIEN_FLEMING = "obrien-fleming"
    """4 (1 - Phi(z(alpha/4) / sqrt(t))): next to nothing early, most power at the end."""
    HWANG_SHIH_DECANI = "hwang-shih-decani"
    """alpha (1 - exp(4t)) / (1 - exp(4)), gamma = -4: a little more early (Hwang et al. 1990)."""


@dataclass(frozen=True, slots=True)
class Design:
    """Looks of one contrast, and the p-value of t(G - 2) at or below which each look stops."""

    looks: tuple[int, ...]
    alpha: float
    """Two-sided false-alarm rate of this contrast over all looks, already corrected for multiplicity."""
    nominal_p: tuple[float, ...]
    spending: Spending = Spending.HWANG_SHIH_DECANI

    @property
    def maximum(self) -> int:
        """Generations at the last look."""
        return self.looks[-1]

    def look_at(self, generations: int) -> int | None:
        """Return the index of the look due after `generations`, or None between looks."""
        return self.looks.index(generations) if generations in self.looks else None


def even_looks(maximum: int) -> tuple[int, ...]:
    """Return looks after every second generation from 6 to `maximum`, rounded down to even, at most 100."""
    if maximum < FIRST_LOOK:
        raise ConfigurationError(
            f"{maximum} generations are too few: the first look is after {FIRST_LOOK}",
            remedy="allow more time with --budget",
        )
    return tuple(range(FIRST_LOOK, min(maximum, LAST_LOOK) + 1, 2))


def bonferroni(alpha: float, contrasts: int) -> float:
    """Return the false-alarm rate that each of `contrasts` may have so that any one has `alpha`."""
    return alpha / max(contrasts, 1)


@lru_cache(maxsize=64)
def plan(looks: tuple[int, ...], alpha: float, spending: Spending = Spending.HWANG_SHIH_DECANI) -> Design:
    """Return the design that spends at most `alpha` over `looks`, a pure function of its arguments.

    Args:
        looks: even numbers of generations, increasing, from 6 to 100.
        alpha: two-sided, of this contrast (see `bonferroni`), in [0.0001, 0.2].
        spending: how alpha is spread over the looks.

    Raises:
        ConfigurationError: looks or alpha outside these limits.
    """
    _check(looks, alpha)
    spent = tuple(_SAFETY * alpha_spent(count / looks[-1], alpha, spending) for count in looks)
    return Design(looks, alpha, boundaries.solve(looks, spent), spending)


def cut_short(design: Design, generations: int) -> Design:
    """Return the design of a run that ended, for reasons other than its data, after `generations`.

    Looks already taken keep their boundaries; a last look at `generations` (rounded
    down to even) spends what is left of alpha (Lan & DeMets: the boundary so far
    depends only on the looks so far).

    Raises:
        ConfigurationError: fewer generations than the first look needs.
    """
    end = generations - generations % 2
    if end >= design.maximum:
        return design
    even_looks(end)
    looks = (*(count for count in design.looks if count < end), end)
    known = design.nominal_p[: len(looks) - 1]
    fractions = (count / design.maximum for count in looks[:-1])
    spent = (
        *(_SAFETY * alpha_spent(t, design.alpha, design.spending) for t in fractions),
        _SAFETY * design.alpha,
    )
    return Design(looks, design.alpha, boundaries.extend(looks, spent, known), design.spending)


def repeated_interval(fit: Fit, design: Design, look: int) -> tuple[float, float, float]:
    """Return (low, high, level): the repeated confidence interval at `look`.

    Over all looks together it covers the truth with probability `level` = 1 - alpha
    (Jennison & Turnbull 1989); it excludes 0 exactly when the look stops. NaN where
    the fit is unavailable.

    Raises:
        ConfigurationError: the fit does not belong to this look.
    """
    if fit.generations != design.looks[look]:
        raise ConfigurationError(
            f"look {look} is after {design.looks[look]} generations, the fit has {fit.generations}",
            remedy="judge at planned looks, or after cut_short",
        )
    low, high = fit.interval(design.nominal_p[look])
    return low, high, 1.0 - design.alpha


def alpha_spent(fraction: float, alpha: float, spending: Spending = Spending.HWANG_SHIH_DECANI) -> float:
    """Return how much of `alpha` may be spent by the information `fraction`."""
    return _SPENDING[spending](fraction, alpha)


def _obrien_fleming(fraction: float, alpha: float) -> float:
    z = float(normal_quantile(1.0 - alpha / 4.0))
    return 4.0 * float(normal_cdf(-z / math.sqrt(fraction)))


def _hwang_shih_decani(fraction: float, alpha: float) -> float:
    return alpha * math.expm1(4.0 * fraction) / math.expm1(4.0)


_SPENDING: dict[Spending, Callable[[float, float], float]] = {
    Spending.OBRIEN_FLEMING: _obrien_fleming,
    Spending.HWANG_SHIH_DECANI: _hwang_shih_decani,
}


def require_alpha(alpha: float) -> None:
    """Raise `ConfigurationError` for a false-alarm rate outside [0.0001, 0.2]."""
    if not LOWEST_ALPHA <= alpha <= HIGHEST_ALPHA:
        raise ConfigurationError(
            f"a false-alarm rate of {alpha} for one contrast is outside [{LOWEST_ALPHA}, {HIGHEST_ALPHA}]",
            remedy="choose another --alpha or fewer gating contrasts",
        )


def _check(looks: tuple[int, ...], alpha: float) -> None:
    require_alpha(alpha)
    steps = [later - earlier for earlier, later in pairwise(looks)]
    inside = bool(looks) and looks[0] >= FIRST_LOOK and looks[-1] <= LAST_LOOK
    if not inside or any(count % 2 for count in looks) or min(steps, default=2) <= 0:
        raise ConfigurationError(
            f"looks {looks} are not increasing even numbers from {FIRST_LOOK} to {LAST_LOOK}",
            cause="start orders are balanced only after every second generation",
            remedy="use even_looks(maximum)",
        )
