"""What one generation says of one variant: estimators over raw latencies.

Latencies are integer microseconds. A timeout is *censored*: it enters at the
limit at which it was given up, and is never dropped. A mean capped at or below
that limit is then exact; a quantile that falls on the limit is only a lower
bound, and is returned as NaN (unavailable).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from loadstone.errors import MeasurementError
from loadstone.stats.special import FloatArray

IntArray = NDArray[np.integer[Any]]
Numbers = NDArray[np.integer[Any]] | NDArray[np.float64]
"""Latencies as recorded, or as they would be at another pace of the machine."""
BoolArray = NDArray[np.bool_]

CAP_QUANTILE = 0.99
TAIL_COUNT = 20
"""Observations that must lie beyond a quantile before it is reported."""
QUANTILE_METHOD: Final = "median_unbiased"
"""Hyndman & Fan (1996), type 8; the name is numpy's."""


def with_censored(latency_us: IntArray, censored: BoolArray, limit_us: int) -> IntArray:
    """Return latencies [n] in which every censored one stands at `limit_us`, and no other exceeds it.

    Raises:
        MeasurementError: the two arrays differ in length.
    """
    if latency_us.shape != censored.shape:
        raise MeasurementError(
            f"{latency_us.size} latencies came with {censored.size} censoring marks",
            remedy="record one outcome for each request",
        )
    placed: IntArray = np.where(censored, limit_us, np.minimum(latency_us, limit_us))
    return placed


def pooled_cap(latencies_us: Sequence[Numbers], q: float = CAP_QUANTILE) -> float:
    """Return the cap in microseconds: quantile `q` over all variants of one endpoint and generation.

    Pooling keeps the cap blind to which variant a latency came from, so that it
    cannot favour either. NaN where there is no latency at all.
    """
    pooled = np.concatenate(list(latencies_us)) if latencies_us else np.empty(0, dtype=np.int64)
    return quantile(pooled, q)


def capped_mean(latency_us: Numbers, cap_us: float) -> float:
    """Return the mean of min(latency, `cap_us`) in microseconds; NaN for no latency or no cap."""
    if latency_us.size == 0 or math.isnan(cap_us):
        return math.nan
    return float(np.minimum(latency_us, cap_us).mean())


def overall_capped_mean(latency_us: Numbers, endpoint: IntArray, caps_us: FloatArray) -> float:
    """Return one variant's mean over all endpoints, each latency capped at its own endpoint's cap.

    Args:
        latency_us: [n] latencies of one variant in one generation.
        endpoint: [n] index into `caps_us`.
        caps_us: [endpoints] pooled caps of this generation.
    """
    if latency_us.size == 0:
        return math.nan
    return float(np.minimum(latency_us, caps_us[endpoint]).mean())


def quantile(latency_us: Numbers, q: float, *, limit_us: float = math.inf) -> float:
    """Return quantile `q` in microseconds (`QUANTILE_METHOD`): monotone in q and in every latency.

    NaN for no latency, and where the quantile reaches `limit_us`, at which
    timeouts are censored: the true value is then known only to be larger.
    """
    if latency_us.size == 0:
        return math.nan
    value = float(np.quantile(latency_us.astype(np.float64), q, method=QUANTILE_METHOD))
    return math.nan if value >= limit_us else value


def quantiles(latency_us: Numbers, grid: Sequence[float]) -> list[float]:
    """Return `quantile` at every q of `grid`, without a limit, in one pass over the latencies."""
    if latency_us.size == 0:
        return [math.nan] * len(grid)
    found = np.quantile(latency_us.astype(np.float64), grid, method=QUANTILE_METHOD)
    return [float(one) for one in found]


def quantile_available(n: int, q: float) -> bool:
    """Say whether `n` observations carry quantile `q`: n(1 - q) >= 20."""
    return n >= pairs_needed(q)


def pairs_needed(q: float) -> int:
    """Return the least n for which quantile `q` (0 <= q < 1) is reported."""
    if not 0.0 <= q < 1.0:
        raise MeasurementError(f"no number of observations carries quantile {q}", remedy="choose 0 <= q < 1")
    # 20 / (1 - 0.9) is 200.00000000000003 in floating point: round before going up
    return math.ceil(round(TAIL_COUNT / (1.0 - q), 6))


def per_request(total: float, requests: int) -> float:
    """Return `total` (such as CPU seconds) per request; NaN without requests."""
    return total / requests if requests > 0 else math.nan
