"""What each generation of a comparison under load says of each variant, metric by metric."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loadstone.record.histogram import Histogram, edges_us
from loadstone.record.load_comparison import LoadBlock, LoadGenerationLine
from loadstone.record.observations import Outcome
from loadstone.record.recording import Recording
from loadstone.stats.estimators import per_request
from loadstone.stats.special import FloatArray
from loadstone.stats.verdicts import Direction
from loadstone.verdict.metrics import Metric

WELL = (Outcome.OK, Outcome.REDIRECT)
UNSENT = "(not sent)", "(unfinished)"
"""Endpoints of work that no endpoint can be told for."""

LOAD_METRICS: tuple[Metric, ...] = (
    Metric("latency_p50", "median response time", "us", lane="load", gating=True, quantile=0.50),
    Metric("latency_p95", "95th percentile of response time", "us", lane="load", gating=True, quantile=0.95),
    Metric("latency_p99", "99th percentile of response time", "us", lane="load", gating=True, quantile=0.99),
    Metric("latency_p999", "99.9th percentile of response time", "us", lane="load", quantile=0.999),
    Metric(
        "cpu", "CPU of all processes per request", "s", lane="load", gating=True, per_endpoint=False
    ),
    Metric("cpu_server", "CPU of the server processes per request", "s", lane="load", per_endpoint=False),
    Metric("cpu_database", "CPU of the database backends per request", "s", lane="load", per_endpoint=False),
    Metric(
        "throughput", "requests answered well per second of the plan", "rps", lane="load",
        direction=Direction.HIGHER,
    ),
    Metric("errors", "share of requests that failed", "share", lane="load", gating=True, ratio=False),
)  # fmt: skip
"""At most five gate. Response times count from the planned start."""
LOAD_GATING = tuple(metric.name for metric in LOAD_METRICS if metric.gating)


@dataclass(frozen=True)
class LoadMeasured:
    """One generation: its line and its recordings."""

    line: LoadGenerationLine
    requests: Recording
    schedule: Recording


@dataclass(frozen=True)
class LoadObservations:
    """All generations of a comparison under load."""

    variants: int
    generations: list[LoadMeasured]

    @property
    def count(self) -> int:
        """Number of generations, G."""
        return len(self.generations)

    @property
    def endpoints(self) -> list[str]:
        """Names of all endpoints, sorted."""
        found = {key.endpoint for measured in self.generations for key in measured.requests.cells}
        return sorted(found - set(UNSENT))


def load_levels(observations: LoadObservations, metric: Metric, endpoint: str | None) -> FloatArray:
    """Return the metric's levels [generation, variant]; NaN where unavailable."""
    table = np.full((observations.count, observations.variants), np.nan)
    for index, measured in enumerate(observations.generations):
        for variant in range(observations.variants):
            table[index, variant] = _level(measured, metric, endpoint, variant)
    return table


def request_counts(observations: LoadObservations, endpoint: str | None) -> NDArray[np.int64]:
    """Return the requests whose times count, of the variant that has the fewest, by generation [G]."""
    outcomes = (*WELL, Outcome.TIMEOUT)
    return np.array(
        [
            min(
                measured.requests.count(variant=variant, endpoint=endpoint, outcomes=outcomes)
                for variant in range(observations.variants)
            )
            for measured in observations.generations
        ],
        dtype=np.int64,
    )


def smooth_quantile(histogram: Histogram, q: float, endless: int) -> float:
    """Return quantile `q` in microseconds, interpolated within its bucket by rank.

    NaN where there is nothing, or where it falls among the `endless` requests that
    were given up, so that it is known only to be larger.
    """
    total = histogram.total + endless
    rank = q * total
    if not histogram.total or rank > histogram.total:
        return math.nan
    counts = histogram.counts.astype(np.int64)
    reached = np.cumsum(counts)
    place = min(int(np.searchsorted(reached, rank)), counts.size - 1)
    low, high = edges_us(int(histogram.buckets[place]))
    share = (rank - (reached[place] - counts[place])) / counts[place]
    return low + float(share) * (high - low)


def _level(measured: LoadMeasured, metric: Metric, endpoint: str | None, variant: int) -> float:
    requests = measured.requests
    if metric.quantile is not None:
        timed = requests.histogram("response", variant=variant, endpoint=endpoint, outcomes=WELL)
        given_up = (Outcome.TIMEOUT, Outcome.NOT_SENT)
        return smooth_quantile(
            timed, metric.quantile, requests.count(variant=variant, endpoint=endpoint, outcomes=given_up)
        )
    total = requests.count(variant=variant, endpoint=endpoint)
    well = requests.count(variant=variant, endpoint=endpoint, outcomes=WELL)
    if metric.name == "errors":
        return (total - well) / total if total else math.nan
    blocks = [block for block in measured.line.blocks if block.variant == variant]
    if metric.name == "throughput":
        planned_s = sum(block.planned_s for block in blocks)
        return well / planned_s if planned_s else math.nan
    sent = total - requests.count(variant=variant, outcomes=(Outcome.NOT_SENT,))
    return per_request(_cpu_s(blocks, metric.name), sent)


def _cpu_s(blocks: Sequence[LoadBlock], name: str) -> float:
    """Return CPU seconds over blocks; NaN where they are not ours to read."""
    parts = {
        "cpu_server": ("server_s",),
        "cpu_database": ("database_s",),
        "cpu": ("server_s", "database_s", "cache_s", "companions_s"),
    }[name]
    spent = [getattr(block.cpu, part) for block in blocks for part in parts]
    return math.nan if any(each is None for each in spent) else math.fsum(spent)
