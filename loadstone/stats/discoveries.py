"""False discoveries among many diagnostics, told by intervals that agree with them.

Benjamini & Hochberg (1995) call the R smallest of m p-values discoveries, R the
largest number for which the R-th smallest is at most alpha R / m. So every
discovery, and nothing else, has p <= alpha R / m: intervals at that one level
exclude 0 exactly for the discoveries. They are the intervals that Benjamini &
Yekutieli (2005, J. Am. Stat. Assoc. 100, 71-81) give for what was selected: of
those told, on average at most a share alpha misses its truth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loadstone.stats.audit import benjamini_hochberg
from loadstone.stats.special import FloatArray


@dataclass(frozen=True, slots=True)
class Discoveries:
    """Which of a family of contrasts differ, at a false-discovery rate."""

    q_values: FloatArray
    """Adjusted p-values [m]: a discovery at any rate of at least that much. NaN where unavailable."""
    found: NDArray[np.bool_]
    level: float
    """False-alarm rate of each single interval that agrees with this."""


def discover(p_values: FloatArray, alpha: float) -> Discoveries:
    """Return the discoveries among `p_values` [m] at false-discovery rate `alpha`.

    NaN stays NaN and does not count. The rate is proven for independent and for positively
    dependent p-values (Benjamini & Yekutieli 2001), and for 1 / e-values under any
    dependence (Wang & Ramdas 2022, "False discovery rate control with e-values"); for the
    two-sided p-values of a run's metrics, which share its disturbances, it is simulated.
    """
    known = np.sort(p_values[~np.isnan(p_values)])
    count = known.size
    bars = alpha * np.arange(1, count + 1) / max(count, 1)
    below = np.flatnonzero(known <= bars)
    level = float(bars[below[-1]] if below.size else bars[0] if count else alpha)
    found = np.asarray(p_values <= level) if below.size else np.zeros(p_values.shape, dtype=np.bool_)
    return Discoveries(benjamini_hochberg(p_values), found, level)
