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
from loadstone.verdict import pacing
from loadstone.verdict.metrics import Metric
from loadstone.verdict.pacing import Pace

Bools = NDArray[np.bool_]
HIGHEST_AT_PACE = 0.5
"""Quantiles above are those of the latencies as recorded: a tail is made of more than the pace."""
CPU_AGREES = 0.05
"""How far CPU charged to single requests may be from what the kernel counted for whole trees."""


@dataclass(frozen=True)
class Measured:
    """One generation: its journal line, and its rows with steps numbered alike in all generations."""

    line: GenerationLine
    rows: Rows
    """As sealed, but `step` indexes the run's endpoints."""
    good: Bools
    """Rows whose latency may be compared."""
    latency_us: FloatArray
    """Service times at the generation's mean pace [rows]."""
    cpu_us: FloatArray | None
    """CPU of single requests, likewise; None where it cannot be told."""


@dataclass(frozen=True)
class Observations:
    """All generations of a run."""

    variants: int
    endpoints: list[str]
    generations: list[Measured]
    pace: Pace

    @property
    def count(self) -> int:
        """Number of generations, G."""
        return len(self.generations)


def gather(variants: int, sealed: Sequence[tuple[GenerationLine, Rows]]) -> Observations:
    """Return the generations with one numbering of endpoints, sorted by name."""
    endpoints = sorted({step for line, _ in sealed for step in line.steps})
    number = {name: index for index, name in enumerate(endpoints)}
    tables = []
    for line, rows in sealed:
        renumbered = rows.copy()
        table = np.array([number[name] for name in line.steps] or [0], dtype=np.uint16)
        renumbered["step"] = table[rows["step"]]
        tables.append(renumbered)
    good = [comparable(rows, variants) for rows in tables]
    pace = pacing.learn(tables, good, variants, len(endpoints))
    lines = [line for line, _ in sealed]
    by_request = all(_cpu_is_told(line, rows) for line, rows in zip(lines, tables, strict=True))
    generations = [
        Measured(
            line,
            rows,
            chosen,
            pacing.adjusted(rows, pacing.LATENCY, pace),
            pacing.adjusted(rows, pacing.CPU, pace) if by_request else None,
        )
        for line, rows, chosen in zip(lines, tables, good, strict=True)
    ]
    return Observations(variants, endpoints, generations, pace)


def _cpu_is_told(line: GenerationLine, rows: Rows) -> bool:
    """Say whether CPU is known request by request, and adds up to what the kernel counted."""
    if not rows.size or not rows["cpu_us"].all():
        return False
    for variant, cpu in enumerate(line.cpu):
        charged = float(rows["cpu_us"][rows["variant"] == variant].sum()) / 1e6
        counted = _cpu_seconds(cpu, "cpu")
        if not abs(charged - counted) <= CPU_AGREES * counted:
            return False
    return True


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
            table[index] = _cpu_levels(measured, metric.name, observations)
        elif metric.name == "throughput":
            table[index] = _throughput_levels(measured, endpoint, observations.variants)
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
    chosen = _chosen(measured, endpoint, gap)
    if metric.quantile is None:
        return _capped_means(measured.rows[chosen], measured.latency_us[chosen], observations)
    found = []
    for variant in range(observations.variants):
        own = chosen & (measured.rows["variant"] == variant)
        at_pace = metric.quantile <= HIGHEST_AT_PACE
        values = measured.latency_us if at_pace else measured.rows["service_us"].astype(np.float64)
        found.append(_quantile(measured.rows[own], values[own], metric.quantile))
    return found


def _chosen(measured: Measured, endpoint: int | None, gap: int) -> Bools:
    chosen: Bools = measured.good & (measured.rows["gap"] == gap)
    return chosen if endpoint is None else chosen & (measured.rows["step"] == endpoint)


def _capped_means(rows: Rows, values: FloatArray, observations: Observations) -> list[float]:
    """Return each variant's mean, every value capped at the p99 of its endpoint over all variants."""
    caps = np.full(len(observations.endpoints), np.nan)
    for step in np.unique(rows["step"]):
        caps[step] = pooled_cap([values[rows["step"] == step]])
    sides = [rows["variant"] == variant for variant in range(observations.variants)]
    return [overall_capped_mean(values[side], rows["step"][side], caps) for side in sides]


def _quantile(rows: Rows, values: FloatArray, q: float) -> float:
    """A quantile that falls among the timeouts is known only to be larger: NaN."""
    timeouts = values[rows["outcome"] == Outcome.TIMEOUT]
    limit = float(timeouts.min()) if timeouts.size else math.inf
    return quantile(values, q, limit_us=limit)


def _error_levels(rows: Rows, endpoint: int | None, variants: int) -> list[float]:
    chosen = rows if endpoint is None else rows[rows["step"] == endpoint]
    shares = []
    for variant in range(variants):
        outcomes = chosen["outcome"][chosen["variant"] == variant]
        shares.append(float((outcomes != Outcome.OK).mean()) if outcomes.size else math.nan)
    return shares


def _cpu_levels(measured: Measured, name: str, observations: Observations) -> list[float]:
    """Return CPU seconds per request: capped as latencies are where each request's is known."""
    if name == "cpu" and measured.cpu_us is not None:
        chosen = _chosen(measured, None, 0)
        means = _capped_means(measured.rows[chosen], measured.cpu_us[chosen], observations)
        return [mean / 1e6 for mean in means]
    requests = np.bincount(measured.rows["variant"], minlength=observations.variants)
    return [
        per_request(_cpu_seconds(measured.line.cpu[variant], name), int(requests[variant]))
        for variant in range(observations.variants)
    ]


def _throughput_levels(measured: Measured, endpoint: int | None, variants: int) -> list[float]:
    """Return requests per second of service: what one connection without pauses would get through."""
    chosen = _chosen(measured, endpoint, 0)
    sides = [measured.latency_us[chosen & (measured.rows["variant"] == one)] for one in range(variants)]
    return [side.size / (float(side.sum()) / 1e6) if side.sum() > 0 else math.nan for side in sides]


def _cpu_seconds(cpu: CpuSeconds, name: str) -> float:
    """Return CPU seconds, NaN where they are not ours to read: what is unavailable is not zero."""
    parts = {
        "cpu_server": (cpu.server_s,),
        "cpu_database": (cpu.database_s,),
        "cpu": (cpu.server_s, cpu.database_s, cpu.cache_s, cpu.companions_s),
    }[name]
    return sum(math.nan if part is None else part for part in parts)
