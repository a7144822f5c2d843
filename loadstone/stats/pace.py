"""Bringing latencies to one pace of the machine: a covariate that the variants cannot touch.

The pace of the core is sampled beside the requests (`workload.pace`). The order
within a pair is drawn at random, so the difference of pace between its two
requests has mean zero whatever the variants do; subtracting its regression
leaves the effect and takes noise away. This is the control variate of simulation
(Lavenberg & Welch 1981), known from online experiments as CUPED (Deng et al.
2013). Latency and CPU are adjusted as logarithms: what takes r times as long on a
core that is f times slower is divided by f^slope.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from loadstone.stats.special import FloatArray

STEEPEST = 1.5
"""Slope 1 is work that slows down as the sampled loop does, 0 is waiting."""
FEWEST_PAIRS = 50
LARGEST_LOG_RATIO = 1.1
"""About a factor of 3: what lies beyond is no change of pace and counts as so much."""
SMALLEST_SPREAD = 1e-3
"""SD of the pace differences below which there is nothing to adjust for."""


def pace_slope(log_ratio: FloatArray, pace_difference: FloatArray) -> float:
    """Return the slope of log ratios [n] on differences of log pace [n], within pairs; in [0, 1.5].

    Least squares about the means. 0 where there are fewer than 50 pairs with a known
    pace, or where the pace did not change.
    """
    known = np.isfinite(log_ratio) & np.isfinite(pace_difference)
    y, x = log_ratio[known], pace_difference[known]
    if x.size < FEWEST_PAIRS or float(x.std()) < SMALLEST_SPREAD:
        return 0.0
    y = np.clip(y - np.median(y), -LARGEST_LOG_RATIO, LARGEST_LOG_RATIO)
    x = x - x.mean()
    slope = float(x @ (y - y.mean())) / float(x @ x)
    return min(max(slope, 0.0), STEEPEST)


def at_pace(value: FloatArray, log_pace: FloatArray, reference: float, slope: float) -> FloatArray:
    """Return values [n] (latency or CPU) as they would be at the log pace `reference`.

    NaN in `log_pace` stands for unknown and leaves its value alone.
    """
    if slope == 0.0:
        return value
    shift = np.nan_to_num(log_pace - reference, nan=0.0)
    adjusted: FloatArray = value * np.exp(-slope * shift)
    return adjusted


def explained(
    log_ratio: FloatArray, pace_difference: FloatArray, slope: NDArray[np.float64] | float
) -> float:
    """Return the share of the variance of log ratios [n] that the pace explains, 0 where unknown."""
    known = np.isfinite(log_ratio) & np.isfinite(pace_difference)
    if known.sum() < FEWEST_PAIRS:
        return 0.0
    y = np.clip(log_ratio[known], -LARGEST_LOG_RATIO, LARGEST_LOG_RATIO)
    rest = y - np.broadcast_to(slope, log_ratio.shape)[known] * pace_difference[known]
    total = float(y.var())
    return max(0.0, 1.0 - float(rest.var()) / total) if total > 0.0 else 0.0
