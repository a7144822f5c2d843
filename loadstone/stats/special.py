"""The few special functions that the other modules need, typed.

`scipy.special` loads in a tenth of the time of `scipy.stats`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special as _special

FloatArray = NDArray[np.float64]


def t_two_sided_p(statistic: ArrayLike, df: ArrayLike) -> FloatArray:
    """Return P(|t(df)| >= |statistic|)."""
    return _array(2.0 * _special.stdtr(df, -np.abs(np.asarray(statistic, dtype=float))))


def t_critical(two_sided_p: ArrayLike, df: ArrayLike) -> FloatArray:
    """Return the c > 0 with P(|t(df)| >= c) = `two_sided_p`."""
    p = np.asarray(two_sided_p, dtype=float)
    # at 0 stdtrit answers with the wrong infinity
    return _array(np.where(p > 0.0, -_special.stdtrit(df, p / 2.0), np.inf))


def noncentral_t_cdf(x: ArrayLike, df: ArrayLike, noncentrality: ArrayLike) -> FloatArray:
    """Return P(t(df, noncentrality) <= x)."""
    return _array(_special.nctdtr(df, noncentrality, x))


def normal_cdf(x: ArrayLike) -> FloatArray:
    """Return the standard normal distribution function at `x`."""
    return _array(_special.ndtr(x))


def normal_quantile(p: ArrayLike) -> FloatArray:
    """Return the standard normal quantile of `p`."""
    return _array(_special.ndtri(p))


def log_beta(a: float, b: float) -> float:
    """Return log B(a, b)."""
    return float(_special.betaln(a, b))


def beta_quantile(a: float, b: float, p: float) -> float:
    """Return the quantile `p` of the Beta(a, b) distribution."""
    return float(_special.betaincinv(a, b, p))


def _array(value: object) -> FloatArray:
    return np.asarray(value, dtype=np.float64)
