"""Inference over generations: d_g = theta + delta * s_g + e_g.

The generation (one fresh start of every variant) is the unit; requests within
one share its start and are not independent. s_g says who was started first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loadstone.errors import MeasurementError
from loadstone.stats.special import FloatArray, t_critical, t_two_sided_p

MINIMUM_GENERATIONS = 3


@dataclass(frozen=True, slots=True)
class Fit:
    """Least-squares fit of one contrast; NaN throughout where the metric was unavailable."""

    estimate: float
    """theta: log ratio, or difference in the metric's unit."""
    se: float
    df: int
    residual_sd: float
    """SD of e_g, in the unit of `estimate`."""
    start_effect: float
    """delta: half of what being started first adds; NaN when not modelled."""
    p_value: float
    """Two-sided, of t(df), for theta = 0."""
    generations: int

    @property
    def available(self) -> bool:
        """Whether there is an estimate at all."""
        return math.isfinite(self.estimate)

    def interval(self, two_sided_p: float) -> tuple[float, float]:
        """Return the t interval whose edge lies where the p-value equals `two_sided_p`."""
        half = float(t_critical(two_sided_p, self.df)) * self.se if self.se > 0 else self.se
        return self.estimate - half, self.estimate + half


def contrasts(
    levels: FloatArray, positions: NDArray[np.int64], *, log: bool = True
) -> tuple[FloatArray, FloatArray]:
    """Return contrasts d and start contrasts s, both [generation, variant - 1], against variant 0.

    Args:
        levels: [generation, variant] estimates of one metric; NaN where unavailable.
        positions: [generation, variant] start positions, 0 for the first started.
        log: log ratio (NaN unless both levels are positive), or else difference.

    s = (position of baseline - position of variant) / (k - 1): for two variants
    +1 where the variant was started first and -1 where the baseline was.
    """
    if levels.shape != positions.shape or levels.ndim != 2 or levels.shape[1] < 2:  # noqa: PLR2004 - two axes, two variants
        raise MeasurementError(
            f"levels {levels.shape} and start positions {positions.shape} do not match",
            remedy="give both as [generation, variant] with at least two variants",
        )
    values = np.full(levels.shape, np.nan)
    if log:
        np.log(levels, out=values, where=levels > 0)
    else:
        values = np.asarray(levels, dtype=np.float64)
    start = (positions[:, :1] - positions[:, 1:]) / (levels.shape[1] - 1)
    return values[:, 1:] - values[:, :1], start


def fit(d: FloatArray, s: FloatArray | None, *, resolution: float = 0.0, least_variance: float = 0.0) -> Fit:
    """Fit d_g = theta + delta * s_g + e_g by least squares.

    Args:
        d: [G] contrasts of one metric. One that is not finite makes the whole
            fit unavailable: a generation is never dropped after it was seen.
        s: [G] start contrasts; None leaves the start term out (df = G - 1).
        resolution: step to which a level is rounded, in the unit of d. The residual
            SD is not believed below that of two rounding errors, step / sqrt(6).
        least_variance: of d_g, known from elsewhere; the residual SD is not believed
            below its root. It can only make p larger and intervals wider.

    Raises:
        MeasurementError: fewer than 3 generations, or a start order that never varied.
    """
    count = d.size
    if count < MINIMUM_GENERATIONS:
        raise MeasurementError(
            f"{count} generations are too few to judge by",
            cause="two parameters and a residual need at least 3",
            remedy="measure more generations: a larger --budget",
        )
    parameters = 1 if s is None else 2
    if not np.isfinite(d).all():
        return Fit(math.nan, math.nan, count - parameters, math.nan, math.nan, math.nan, count)
    estimate, slope, unit_variance, residual = _least_squares(d, s)
    least_sd = max(resolution / math.sqrt(6.0), math.sqrt(least_variance))
    sd = max(_residual_sd(d, residual, count - parameters), least_sd)
    se = sd * math.sqrt(unit_variance)
    return Fit(estimate, se, count - parameters, sd, slope, _p_value(estimate, se, count - parameters), count)


def fit_all(levels: FloatArray, positions: NDArray[np.int64], *, log: bool = True) -> list[Fit]:
    """Return one fit for each variant after the first, each with df = G - 2."""
    d, s = contrasts(levels, positions, log=log)
    return [fit(d[:, i], s[:, i]) for i in range(d.shape[1])]


def _least_squares(d: FloatArray, s: FloatArray | None) -> tuple[float, float, float, FloatArray]:
    """Return theta, delta, Var(theta) / sigma^2 and the residuals [G]."""
    count = d.size
    if s is None:
        mean = float(d.mean())
        return mean, math.nan, 1.0 / count, d - mean
    spread = s - s.mean()
    square = float(spread @ spread)
    if square == 0.0:
        raise MeasurementError(
            "the start order never varied, so its effect cannot be told from the variant's",
            remedy="counterbalance the start order (stats.order.start_plan)",
        )
    slope = float(spread @ d) / square
    estimate = float(d.mean() - slope * s.mean())
    return estimate, slope, 1.0 / count + float(s.mean()) ** 2 / square, d - estimate - slope * s


def _residual_sd(d: FloatArray, residual: FloatArray, df: int) -> float:
    """Return the residual SD, and exactly zero where only floating-point dust is left."""
    dust = 8.0 * np.finfo(np.float64).eps * float(np.abs(d).max())
    if float(np.abs(residual).max()) <= dust:
        return 0.0
    return math.sqrt(float(residual @ residual) / df)


def _p_value(estimate: float, se: float, df: int) -> float:
    """Return the two-sided p; with no variance at all, equality is certain or excluded."""
    if se == 0.0:
        return 1.0 if estimate == 0.0 else 0.0
    return float(t_two_sided_p(estimate / se, df))
