"""Log-linear histograms of whole microseconds: bounded error, bounded size, merged by addition.

Up to 256 µs every microsecond has a bucket of its own; above, each octave is cut
into 128 equal buckets. A bucket's middle is therefore at most 1/256 (0.39%) away
from anything in it. The layout is that of HdrHistogram with two significant digits
(Tene, HdrHistogram.java, `countsArrayIndex`), so exports lose nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

SUB_BUCKETS = 128
"""Buckets an octave."""
LARGEST_US = (1 << 36) - 1
"""Nineteen hours; longer times are counted as this long."""
BUCKETS = 30 * SUB_BUCKETS
_MANTISSA_SHIFT = 52 - 7
_EXPONENT_BIAS = (1023 + 6) * SUB_BUCKETS

Ints = npt.NDArray[np.integer[Any]]


def bucket_of(values_us: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the bucket of each value in [0, `LARGEST_US`], shape kept.

    The upper bits of a double are its exponent and the head of its mantissa, which is
    the log-linear index itself; below 128 µs the value is its own bucket.
    """
    head = (values_us.astype(np.float64).view(np.int64) >> _MANTISSA_SHIFT) - _EXPONENT_BIAS
    bucket: npt.NDArray[np.int64] = np.maximum(head, np.minimum(values_us, SUB_BUCKETS))
    return bucket


def edges_us(bucket: int) -> tuple[int, int]:
    """Return the first microsecond of a bucket and the first one above it."""
    octave, sub = divmod(bucket, SUB_BUCKETS)
    if octave == 0:
        return sub, sub + 1
    width = 1 << (octave - 1)
    return (SUB_BUCKETS + sub) * width, (SUB_BUCKETS + sub + 1) * width


@dataclass(frozen=True, slots=True)
class Quantile:
    """A quantile of recorded times and what is known of it: it lies in [low, high]."""

    q: float
    low_us: float
    value_us: float
    """The middle of the bucket; where timeouts leave it open, the least that it can be."""
    high_us: float
    """Infinite where it may be one of the times that a timeout cut short."""


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """Counts of the buckets that hold something; immutable.

    Args:
        buckets: ascending bucket numbers, uint16.
        counts: how many in each, an unsigned type.
        sum_us: exact sum of what was recorded.
        max_us: exact largest time, 0 where nothing was recorded.
    """

    buckets: Ints
    counts: Ints
    sum_us: int
    max_us: int

    @classmethod
    def empty(cls) -> Histogram:
        """Return a histogram of nothing."""
        return cls(np.empty(0, np.uint16), np.empty(0, np.uint8), 0, 0)

    @classmethod
    def of(cls, values_us: Iterable[int] | npt.NDArray[np.integer[Any]]) -> Histogram:
        """Return a histogram of whole microseconds; negative ones count as 0."""
        given = values_us if isinstance(values_us, np.ndarray) else list(values_us)
        values = np.clip(np.asarray(given, dtype=np.int64), 0, LARGEST_US)
        dense = np.bincount(bucket_of(values))
        return cls.from_dense(dense, int(values.sum()), int(values.max(initial=0)))

    @classmethod
    def from_dense(cls, dense: Ints, sum_us: int, max_us: int) -> Histogram:
        """Return a histogram of counts indexed by bucket."""
        buckets = np.flatnonzero(dense)
        counts = dense[buckets]
        smallest = np.min_scalar_type(int(counts.max(initial=0)))
        return cls(buckets.astype(np.uint16), counts.astype(smallest), sum_us, max_us)

    @classmethod
    def total_of(cls, parts: Iterable[Histogram]) -> Histogram:
        """Return the sum of histograms."""
        given = [part for part in parts if part.buckets.size]
        if len(given) <= 1:
            return given[0] if given else cls.empty()
        dense = np.zeros(1 + max(int(part.buckets[-1]) for part in given), dtype=np.int64)
        for part in given:
            dense[part.buckets] += part.counts
        return cls.from_dense(dense, sum(part.sum_us for part in given), max(part.max_us for part in given))

    def __add__(self, other: Histogram) -> Histogram:
        return Histogram.total_of((self, other))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Histogram)
            and np.array_equal(self.buckets, other.buckets)
            and np.array_equal(self.counts, other.counts)
            and (self.sum_us, self.max_us) == (other.sum_us, other.max_us)
        )

    __hash__ = None  # type: ignore[assignment]  # holds arrays

    @property
    def total(self) -> int:
        """How many times were recorded."""
        return int(self.counts.sum(dtype=np.int64))

    @property
    def mean_us(self) -> float:
        """Exact mean; NaN of nothing."""
        total = self.total
        return self.sum_us / total if total else math.nan

    def above(self, limit_us: float) -> tuple[int, int]:
        """Return how many times are surely, and how many possibly, above `limit_us`."""
        sure = possible = 0
        for bucket, count in zip(self.buckets.tolist(), self.counts.tolist(), strict=True):
            low, high = edges_us(bucket)
            sure += count if low > limit_us else 0
            possible += count if high > limit_us else 0
        return sure, possible

    def quantile(self, q: float, censored: Histogram | None = None) -> Quantile:
        """Return the q-quantile: the smallest time that at least q·n times do not exceed.

        Args:
            q: in [0, 1].
            censored: times that were cut short by a timeout: each took at least so long.

        Returns:
            NaN throughout where nothing was recorded.
        """
        whole = self if censored is None else self + censored
        total = whole.total
        if not total:
            return Quantile(q, math.nan, math.nan, math.nan)
        rank = max(1, math.ceil(round(q * total, 9)))
        low, high = _edges_at(whole, rank)
        if censored is None or not censored.total:
            return Quantile(q, low, (low + high) / 2, high)
        highest = _edges_at(self, rank)[1] if rank <= self.total else math.inf
        return Quantile(q, low, (low + high) / 2 if highest == high else low, highest)


def _edges_at(histogram: Histogram, rank: int) -> tuple[float, float]:
    """Return the bounds of the time of this rank, counted from 1; the largest one is known exactly."""
    place = int(np.searchsorted(np.cumsum(histogram.counts, dtype=np.int64), rank))
    low, high = edges_us(int(histogram.buckets[place]))
    return float(low), float(min(high, histogram.max_us + 1))
