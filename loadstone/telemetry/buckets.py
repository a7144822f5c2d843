"""Classic histogram buckets for Prometheus: geometric, and cut where the recordings' own buckets are cut.

Two buckets an octave from 128 µs to 95 s. Every limit is also a limit between two
log-linear buckets (see `record.histogram`), so no count is split by guessing. A
recorded bucket ends just below its limit: a time of exactly `le` is in the next one.
"""

from __future__ import annotations

import numpy as np

from loadstone.record.histogram import SUB_BUCKETS, Histogram, edges_us

OCTAVES = 20
_HALF = 53
"""181/128 = 1.4141: nearest to half an octave."""
FIRSTS = tuple((octave + 1) * SUB_BUCKETS + part for octave in range(OCTAVES) for part in (0, _HALF))
"""Of each limit: the first log-linear bucket that lies at or above it."""
LIMITS_S = tuple(edges_us(first)[0] / 1e6 for first in FIRSTS)
"""Upper limits (`le`), in seconds, ascending; +Inf is not among them."""


def cumulative(histogram: Histogram) -> list[tuple[str, float]]:
    """Return (`le`, how many are below) of every limit and of +Inf, as prometheus-client wants them."""
    running = np.concatenate([[0], np.cumsum(histogram.counts, dtype=np.int64)])
    places = np.searchsorted(histogram.buckets, FIRSTS)
    below = [float(running[place]) for place in places]
    pairs = [(f"{limit:g}", count) for limit, count in zip(LIMITS_S, below, strict=True)]
    return [*pairs, ("+Inf", float(running[-1]))]
