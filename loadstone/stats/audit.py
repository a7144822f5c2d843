"""Checks beside the verdict: exact re-randomisation, influence of one generation, false discoveries."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loadstone.errors import MeasurementError
from loadstone.stats.inference import fit
from loadstone.stats.special import FloatArray, t_two_sided_p

MOST_COUPLES = 40
"""Couples up to which every re-randomisation is counted (2^40, as sums of two halves)."""
_TIES = 1e-9
WINSORISED_FIRST = 8


@dataclass(frozen=True, slots=True)
class Rerandomisation:
    """Exact test of "no variant has any effect", by the start orders that could have been drawn."""

    p_value: float
    smallest_attainable: float
    """Least p-value that this many couples can give; a larger alpha is needed to reject."""
    sequences: int

    def could_reject(self, alpha: float) -> bool:
        """Say whether the test could have rejected at `alpha` at all."""
        return self.smallest_attainable <= alpha


@dataclass(frozen=True, slots=True)
class Influence:
    """How much one generation moves the estimate (report only: none is ever dropped)."""

    generation: int
    """Index of the most influential generation."""
    low: float
    """Least and greatest estimate with any one generation left out."""
    high: float
    winsorised: float
    """Estimate with the extreme residual on either side pulled in; NaN below 8 generations."""
    winsorised_se: float
    winsorised_p: float
    """Approximate and conservative (see `influence`); it decides nothing."""


def autocorrelation(d: FloatArray) -> float:
    """Return the lag-1 autocorrelation of d [G] about its mean; 0 where d does not vary."""
    residuals = d - d.mean()
    total = float(residuals @ residuals)
    return float(residuals[:-1] @ residuals[1:]) / total if total > 0 else 0.0


def rerandomise(d: FloatArray) -> Rerandomisation | None:
    """Test the contrasts d [G] of two variants against every start order of `order.start_plan`.

    If the variants are the same, d_g s_g (first started less second started) does
    not depend on who was first, and the plan drew each couple's order by a fair coin:
    each couple's sum is as likely to have the other sign. The p-value is the share of
    the 2^(G/2) sign patterns whose mean is at least as far from 0 as that observed;
    it assumes nothing of the noise. An odd last generation is left aside.

    None where d is not finite, or has no couple or more than 40.
    """
    couples = d.size // 2
    if not 1 <= couples <= MOST_COUPLES or not np.isfinite(d).all():
        return None
    sums = d[0 : 2 * couples : 2] + d[1 : 2 * couples : 2]
    # by symmetry the first couple's sign can be held: half the patterns say it all
    half = couples // 2 + 1
    one, other = _signed_sums(sums[1:half], float(sums[0])), np.sort(_signed_sums(sums[half:], 0.0))
    bar = abs(float(sums.sum())) - _TIES * float(np.abs(sums).sum())
    above = other.size - np.searchsorted(other, bar - one, side="left")
    below = np.searchsorted(other, -bar - one, side="right")
    patterns = 2 ** (couples - 1)
    extreme = min(int((above + below).sum()), patterns)  # a bar of 0 counts 0 on both sides
    return Rerandomisation(extreme / patterns, 1.0 / patterns, 2**couples)


def influence(d: FloatArray, s: FloatArray) -> Influence:
    """Return how far one generation moves the estimate, from contrasts d and start contrasts s, both [G].

    The winsorised fit (Yuen & Dixon 1973, on residuals about the median of each start
    order) pulls the least and the greatest residual in to their neighbours, *always*,
    so that nothing is chosen after seeing the data; df = G - 5. Simulated for normal
    noise, 8 to 24 generations and p from 0.0005 to 0.05, they come no more often than
    they should. It is not a group-sequential statistic and decides nothing.

    Raises:
        MeasurementError: fewer than 4 generations, or a start order that never varied.
    """
    if d.size < 4:  # noqa: PLR2004 - three must remain when one is left out
        raise MeasurementError(
            f"{d.size} generations are too few to leave one out", remedy="measure more generations"
        )
    full = fit(d, s)
    keep = ~np.eye(d.size, dtype=bool)
    without = np.array([_estimate(d[row], s[row]) for row in keep])
    winsorised = _winsorised(d, s) if full.available and d.size >= WINSORISED_FIRST else (math.nan,) * 3
    worst = int(np.argmax(np.abs(without - full.estimate))) if full.available else 0
    return Influence(worst, float(without.min()), float(without.max()), *winsorised)


def benjamini_hochberg(p_values: FloatArray) -> FloatArray:
    """Return adjusted p-values [n]: those at most q are discoveries at false-discovery rate q.

    Benjamini & Hochberg (1995). For diagnostics only. NaN stays NaN and does not count.
    """
    adjusted: FloatArray = np.full(p_values.shape, np.nan)
    known: NDArray[np.intp] = np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    ranks = np.arange(1, order.size + 1)
    scaled = p_values[order] * order.size / ranks
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted


def _signed_sums(values: FloatArray, start: float) -> FloatArray:
    """Return `start` plus every sum of `values` with either sign [2^n]."""
    totals = np.array([start])
    for value in values:
        totals = np.concatenate([totals + value, totals - value])
    return totals


def _estimate(d: FloatArray, s: FloatArray) -> float:
    return fit(d, s).estimate


def _winsorised(d: FloatArray, s: FloatArray) -> tuple[float, float, float]:
    """Return estimate, standard error and approximate p of the winsorised fit."""
    first, second = float(np.median(d[s > 0])), float(np.median(d[s < 0]))
    centre = (first + second) / 2.0 + (first - second) / 2.0 * np.sign(s)
    residual = d - centre
    ordered = np.sort(residual)
    pulled = fit(np.clip(residual, ordered[1], ordered[-2]) + centre, s)
    count = d.size
    square = pulled.residual_sd**2 * (count - 2)
    se = math.sqrt(square / ((count - 4) * (count - 2)))
    if se == 0.0:
        return pulled.estimate, 0.0, pulled.p_value
    return pulled.estimate, se, float(t_two_sided_p(pulled.estimate / se, count - 5))
