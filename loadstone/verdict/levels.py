"""What each generation says of each variant, metric by metric."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loadstone.record.journal import CpuSeconds, GenerationLine
from loadstone.record.observations import Outcome, Rows
from loadstone.stats.estimators import (
    overall_capped_mean,
    per_request,
    pooled_cap,
    quantile,
)
from loadstone.stats.special import FloatArray
from loadstone.verdict.metrics import Metric

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Measured:
    """One generation: its journal line, and its rows with steps numbered alike in all generations."""

    line: GenerationLine
    rows: Rows
    """As sealed, but `step` indexes the run's endpoints."""
    good: Bools
    """Rows whose latency may be compared."""


@dataclass(frozen=True)
class Observations:
    """All generations of a run."""

    variants: int
    endpoints: list[str]
    generations: list[Measured]

    @property
    def count(self) -> int:
        """Number of generations, G."""
        return len(self.generations)


def gather(variants: int, sealed: Sequence[tuple[GenerationLine, Rows]]) -> Observations:
    """Return the generations with one numbering of endpoints, sorted by name."""
    endpoints = sorted({step for line, _ in sealed for step in line.steps})
    number = {name: index for index, name in enumerate(endpoints)}
    generations = []
    for line, rows in sealed:
        renumbered = rows.copy()
        table = np.array([number[name] for name in line.steps] or [0], dtype=np.uint16)
        renumbered["step"] = table[rows["step"]]
        generations.append(Measured(line, renumbered, comparable(renumbered, variants)))
    return Observations(variants, endpoints, generations)


def comparable(rows: Rows, variants: int) -> Bools:
    """Mark rows whose latency may be compared: every side of their pair was sent and answered well.

    A failure that is fast must never pass for a fast answer; timeouts stay, at
    the time at which they were given up.
    """
    good = (rows["paired"] == 1) & np.isin(rows["outcome"], (Outcome.OK, Outcome.TIMEOUT))
    sides = np.bincount(rows["pair"][good], minlength=int(rows["pair"].max()) + 1 if rows.size else 1)
    marks: Bools = good & (sides[rows["pair"]] == variants)
    return marks


def levels(observations: Observations, metric: Metric, endpoint: int | None, *, gap: int = 0) -> FloatArray:
    """Return the metric's levels [generation, variant]; NaN where unavailable.

    Args:
        observations: the run's generations.
        metric: a row of the table.
        endpoint: index into `observations.endpoints`, or None for all together.
        gap: for latencies, 1 takes the pairs with quiet gaps and 0 those without.
    """
    table = np.full((observations.count, observations.variants), np.nan)
    for index, measured in enumerate(observations.generations):
        if metric.name.startswith("cpu"):
            table[index] = _cpu_levels(measured, metric.name, observations.variants)
        elif metric.name == "errors":
            table[index] = _error_levels(measured.rows, endpoint, observations.variants)
        else:
            table[index] = _latency_levels(measured, metric, endpoint, observations, gap=gap)
    return table


def pair_count(observations: Observations, endpoint: int | None, *, gap: int = 0) -> NDArray[np.int64]:
    """Return the comparable pairs of each generation [G]."""
    counts = []
    for measured in observations.generations:
        rows = measured.rows
        chosen = measured.good & (rows["variant"] == 0) & (rows["gap"] == gap)
        if endpoint is not None:
            chosen &= rows["step"] == endpoint
        counts.append(int(chosen.sum()))
    return np.array(counts, dtype=np.int64)


def _latency_levels(
    measured: Measured, metric: Metric, endpoint: int | None, observations: Observations, *, gap: int
) -> list[float]:
    rows = measured.rows
    chosen = measured.good & (rows["gap"] == gap)
    if endpoint is not None:
        chosen &= rows["step"] == endpoint
    kept = rows[chosen]
    sides = [kept[kept["variant"] == variant] for variant in range(observations.variants)]
    if metric.quantile is not None:
        q = metric.quantile
        return [_quantile(side, q) for side in sides]
    caps = np.full(len(observations.endpoints), np.nan)
    for step in np.unique(kept["step"]):
        caps[step] = pooled_cap([side["service_us"][side["step"] == step] for side in sides])
    return [overall_capped_mean(side["service_us"], side["step"], caps) for side in sides]


def _quantile(side: Rows, q: float) -> float:
    """A quantile that falls among the timeouts is known only to be larger: NaN."""
    timeouts = side["service_us"][side["outcome"] == Outcome.TIMEOUT]
    limit = float(timeouts.min()) if timeouts.size else math.inf
    return quantile(side["service_us"], q, limit_us=limit)


def _error_levels(rows: Rows, endpoint: int | None, variants: int) -> list[float]:
    chosen = rows if endpoint is None else rows[rows["step"] == endpoint]
    shares = []
    for variant in range(variants):
        outcomes = chosen["outcome"][chosen["variant"] == variant]
        shares.append(float((outcomes != Outcome.OK).mean()) if outcomes.size else math.nan)
    return shares


def _cpu_levels(measured: Measured, name: str, variants: int) -> list[float]:
    requests = np.bincount(measured.rows["variant"], minlength=variants)
    return [
        per_request(_cpu_seconds(measured.line.cpu[variant], name), int(requests[variant]))
        for variant in range(variants)
    ]


def _cpu_seconds(cpu: CpuSeconds, name: str) -> float:
    """Return CPU seconds, NaN where they are not ours to read: what is unavailable is not zero."""
    parts = {
        "cpu_server": (cpu.server_s,),
        "cpu_database": (cpu.database_s,),
        "cpu": (cpu.server_s, cpu.database_s, cpu.cache_s),
    }[name]
    return sum(math.nan if part is None else part for part in parts)
