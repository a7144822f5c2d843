"""Anytime-valid inference, for runs without a fixed end: look as often as you like.

The mixture t of Wang & Ramdas (2023, "Anytime-valid t-tests and confidence
sequences for Gaussian means with unknown variance"): likelihood ratio of the scale-invariant
statistic, averaged over theta / sigma ~ N(0, 1 / precision). With the start effect
projected out there are df + 1 dimensions left:

    E = sqrt(r) ((1 + t^2/df) / (1 + r t^2/df))^((df + 1)/2),  r = c / (n + c)

where n = sigma^2 / Var(theta estimate), the number of generations when start orders
are balanced, and c the precision. Under theta = 0 it is a non-negative martingale of
mean 1, and by Ville's inequality P(E ever reaches 1/alpha) <= alpha.
"""

from __future__ import annotations

import math

from loadstone.errors import ConfigurationError
from loadstone.stats.inference import Fit

DEFAULT_PRECISION = 1.0
"""Expects effects of about one residual SD."""
EARLY_PRECISION = 0.1
"""Expects effects of about three residual SDs: bounds something from 6 generations on, and costs 4% of the
width at 32. What runs without a fixed end use, as their effects are large or their generations many."""


def e_value(fit: Fit, *, precision: float = DEFAULT_PRECISION) -> float:
    """Return the evidence against theta = 0: a difference is shown once it reaches 1/alpha.

    NaN where the fit is unavailable; infinite or sqrt(r) where there is no variance.
    """
    if not fit.available:
        return math.nan
    r = _shrinkage(fit, precision)
    if fit.se == 0.0:
        return math.inf if fit.estimate != 0.0 else math.sqrt(r)
    tau = (fit.estimate / fit.se) ** 2 / fit.df
    log_e = 0.5 * math.log(r) + (fit.df + 1) / 2.0 * (math.log1p(tau) - math.log1p(r * tau))
    return math.exp(min(log_e, 700.0))  # exp overflows beyond; so large an e-value is infinite evidence


def confidence_sequence(
    fit: Fit, alpha: float, *, precision: float = DEFAULT_PRECISION
) -> tuple[float, float]:
    """Return (low, high), which over all generations together covers theta with probability 1 - `alpha`.

    It holds those theta whose e-value is below 1/alpha. Infinite while there are too
    few generations to exclude anything; NaN where the fit is unavailable.
    """
    if not 0.0 < alpha < 1.0:
        raise ConfigurationError(
            f"a false-alarm rate of {alpha} is impossible", remedy="choose 0 < alpha < 1"
        )
    if not fit.available:
        return math.nan, math.nan
    r = _shrinkage(fit, precision)
    log_ratio = (-math.log(alpha) - 0.5 * math.log(r)) * 2.0 / (fit.df + 1)
    if log_ratio >= -math.log(r):
        return -math.inf, math.inf
    ratio = math.exp(log_ratio)
    tau = (ratio - 1.0) / (1.0 - r * ratio)
    half = math.sqrt(tau * fit.df) * fit.se
    return fit.estimate - half, fit.estimate + half


def _shrinkage(fit: Fit, precision: float) -> float:
    if precision <= 0.0:
        raise ConfigurationError(f"a precision of {precision} is impossible", remedy="choose more than 0")
    information = (fit.residual_sd / fit.se) ** 2 if fit.se > 0 else float(fit.generations)
    return precision / (information + precision)
