"""The quiet-gap check: does work that a variant defers spill onto the other?

A random tenth of the pairs is sent with quiet gaps, in which deferred work can
finish. Where the effect differs with and without gaps, single-request pairs do
not measure what they seem to.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from loadstone.stats.inference import fit
from loadstone.stats.special import FloatArray

FALSE_ALARM_RATE = 0.001
"""Of the paired t test, for normal differences; the size condition only lowers it."""
RELATIVE_SIZE = 0.25


@dataclass(frozen=True, slots=True)
class GapCheck:
    """Effect without gaps less effect with gaps, over generations."""

    difference: float
    se: float
    statistic: float
    df: int
    p_value: float
    threshold: float
    """Size that the difference must exceed too: max(M, 0.25 |effect with gaps|)."""
    differs: bool
    """Whether the pair lane's latency must not be believed."""


def check_gaps(
    with_gaps: FloatArray, without_gaps: FloatArray, margin: float, *, alpha: float = FALSE_ALARM_RATE
) -> GapCheck:
    """Compare per-generation effects [G] (log ratios) with and without quiet gaps.

    They differ when a paired t test over generations (df = G - 1) has p <= `alpha`
    *and* the mean difference exceeds max(`margin`, 0.25 |mean effect with gaps|).
    Meant to be asked once, at the end of a run. Effects that are not finite make
    the check unavailable: NaN, and not `differs`.

    Raises:
        MeasurementError: fewer than 3 generations.
    """
    paired = fit(np.asarray(without_gaps - with_gaps, dtype=np.float64), None)
    threshold = max(margin, RELATIVE_SIZE * abs(float(np.mean(with_gaps))))
    differs = paired.available and paired.p_value <= alpha and abs(paired.estimate) > threshold
    statistic = paired.estimate / paired.se if paired.se > 0 else math.nan
    return GapCheck(
        paired.estimate, paired.se, statistic, paired.df, paired.p_value, threshold, bool(differs)
    )
