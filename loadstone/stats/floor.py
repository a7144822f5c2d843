"""What a machine's noise is made of: within a start, and between starts.

The contrast of a generation with n pairs, d_g, has the variance
start_sd^2 + pair_sd^2 / n: what every start draws anew, and what more pairs average
away (Kalibera & Jones 2013, section 6: two levels of a nested design).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from loadstone.errors import MeasurementError
from loadstone.stats.special import FloatArray

BLOCKS = 10
"""Blocks of a generation: few enough to outlast what carries over from pair to pair (Schmeiser 1982)."""
PRIOR_SD = 0.003
"""SD between starts where nothing is known of a machine."""
PRIOR_FACTOR = 3.0
"""The true one is within this factor of it, either way, on two machines of three."""
_GRID = np.linspace(-5.0, 5.0, 2001)
"""Standard scores of log start_sd at which the posterior is computed."""


@dataclass(frozen=True, slots=True)
class StartSpread:
    """SD of d_g between starts, as far as some generations tell."""

    sd: float
    """Root of the variance's posterior mean: never 0."""
    low: float
    """Posterior quantile 5%."""
    high: float
    """Posterior quantile 95%."""
    moment: float
    """The unshrunken estimate, floored at 0: noisy, and 0 for every other quiet machine."""


def pair_variance(latency: FloatArray, blocks: int = BLOCKS) -> float:
    """Return n times the variance of log(mean after / mean before) over the n pairs of one generation.

    By the delete-a-block jackknife, blocks of neighbouring pairs, so that noise that
    carries over from pair to pair is counted (Künsch 1989, eq. 2.4 for blocks that do
    not overlap). For independent pairs this is the variance of a pair's log ratio.

    Args:
        latency: [pairs, 2] of before and after, in the order of sending, all positive.
        blocks: of about equal size.

    Raises:
        MeasurementError: fewer than two pairs a block.
    """
    if latency.shape[0] < 2 * blocks:
        raise MeasurementError(
            f"{latency.shape[0]} pairs are too few to tell the noise within a generation",
            cause=f"{blocks} blocks of at least 2 pairs are compared",
            remedy="measure longer",
        )
    sums = np.array([part.sum(axis=0) for part in np.array_split(latency, blocks)])
    rest = sums.sum(axis=0) - sums
    without = np.log(rest[:, 1] / rest[:, 0])
    spread = without - without.mean()
    return float(latency.shape[0] * (spread @ spread) * (blocks - 1) / blocks)


def start_spread(
    residual_sd: float,
    df: int,
    within_variance: float,
    prior_sd: float = PRIOR_SD,
    prior_factor: float = PRIOR_FACTOR,
) -> StartSpread:
    """Return the SD between starts from the scatter of d_g over generations.

    The moment estimate, residual variance less within variance, is 0 on every other
    quiet machine although no machine is; a plan made with 0 asks for six endless
    generations. So it is shrunk: df * residual_sd^2 / (start_sd^2 + within_variance)
    is chi-squared with df degrees of freedom, and log start_sd has a normal prior
    (a weakly informative prior on a hierarchical SD: Gelman 2006, section 5).

    Args:
        residual_sd: of the fit d_g = theta + delta s_g + e_g.
        df: its degrees of freedom, G - 2.
        within_variance: mean over generations of pair_sd^2 / n, taken as known.
        prior_sd: median of the prior.
        prior_factor: how far from it, either way, one SD of the prior reaches; above 1.
    """
    start_sd = prior_sd * prior_factor**_GRID
    variance = start_sd**2 + within_variance
    log_weight = -0.5 * (_GRID**2 + df * np.log(variance) + df * residual_sd**2 / variance)
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    low, high = np.interp([0.05, 0.95], np.cumsum(weight), start_sd)
    return StartSpread(
        sd=math.sqrt(float(weight @ start_sd**2)),
        low=float(low),
        high=float(high),
        moment=math.sqrt(max(0.0, residual_sd**2 - within_variance)),
    )
