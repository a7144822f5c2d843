"""Distributions of a load run, fine enough to be drawn."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import accumulate

from loadstone.record.load_result import LoadCurve
from loadstone.record.observations import Outcome
from loadstone.record.recording import Recording, Time
from loadstone.stats.estimators import quantile_available

TIMES: tuple[Time, ...] = ("response", "service", "lag")
STEPS = 10
"""Quantiles for each further nine: from p0 to p90, from p90 to p99, and so on."""
NINES = 4
STOPS = (0.5, 0.95)
"""Quantiles that people ask for and that are no step."""
MOST_ENDPOINTS = 24
_WELL = (Outcome.OK, Outcome.REDIRECT)


def curve_quantiles() -> list[float]:
    """Return the quantiles of a curve, ascending, evenly spaced in -log10(1 - q), to p99.99."""
    even = {round(1 - 10 ** (-step / STEPS), 9) for step in range(1, STEPS * NINES + 1)}
    return sorted(even | set(STOPS))


def load_curves(requests: Recording, endpoints: Iterable[str]) -> list[LoadCurve]:
    """Return the three times of all requests together, then of the endpoints with the most requests."""
    busiest = sorted(endpoints, key=lambda name: -requests.count(endpoint=name))[:MOST_ENDPOINTS]
    return [curve for name in (None, *busiest) for curve in _curves(requests, name)]


def _curves(requests: Recording, endpoint: str | None) -> Iterator[LoadCurve]:
    given_up = requests.count(endpoint=endpoint, outcomes=(Outcome.TIMEOUT,))
    for time in TIMES:
        ended = requests.histogram(time, endpoint=endpoint, outcomes=_WELL)
        if not ended.total:
            continue
        total = ended.total + given_up
        told = [
            (q, requests.quantile(q, time, endpoint=endpoint))
            for q in curve_quantiles()
            if quantile_available(total, q)
        ]
        known = [(q, one.value_us) for q, one in told if math.isfinite(one.high_us)]
        # among requests that were given up, the lower bound of a time is told: never below those before
        values = accumulate((value for _, value in known), max)
        yield LoadCurve(
            endpoint=endpoint,
            time=time,
            count=total,
            mean_us=ended.mean_us,
            quantiles=list(zip((q for q, _ in known), values, strict=True)),
        )
