"""Contrasts: each metric, endpoint by endpoint, after against before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from loadstone.config.units import format_duration
from loadstone.record.plan import Plan
from loadstone.record.result import Contrast
from loadstone.stats.estimators import pairs_needed
from loadstone.stats.inference import contrasts
from loadstone.stats.special import FloatArray
from loadstone.verdict.judging import Fitted, describe, judge_all, typical
from loadstone.verdict.levels import Observations, levels, pair_count
from loadstone.verdict.metrics import METRICS, Metric, name_of
from loadstone.verdict.rules import Rules
from loadstone.verdict.within import within_variances


def all_contrasts(
    observations: Observations,
    rules: Rules,
    *,
    gating_only: bool = False,
    variants: Sequence[int] | None = None,
) -> list[Contrast]:
    """Return the contrasts of every metric, overall first, then endpoint by endpoint.

    Args:
        observations: the run's generations.
        rules: how they are judged.
        gating_only: leave the diagnostics out.
        variants: indices of those to hold against before; by default all that are judged.
    """
    fitted = all_fitted(observations, rules, gating_only=gating_only, variants=variants)
    return judge_all(list(fitted), rules)


def all_fitted(
    observations: Observations, rules: Rules, *, gating_only: bool, variants: Sequence[int] | None = None
) -> Iterator[Fitted]:
    """Yield every contrast with its fit, in the order of `all_contrasts`."""
    others = rules.plan.judged if variants is None else variants
    for metric in METRICS:
        gating = metric.name in rules.plan.gating
        if gating or not gating_only:
            yield from _fitted(observations, rules, metric, None, others, gating=gating)
        for endpoint, name in enumerate(observations.endpoints if metric.per_endpoint else ()):
            decides = name_of(metric.name, name) in rules.plan.gating
            if decides or not gating_only:
                yield from _fitted(observations, rules, metric, endpoint, others, gating=decides)


def start_positions(plan: Plan, count: int) -> NDArray[np.int64]:
    """Return each variant's start position [generation, variant]."""
    table = np.empty((count, len(plan.variants)), dtype=np.int64)
    for index in range(count):
        for position, variant in enumerate(plan.generations[index].start_order):
            table[index, variant] = position
    return table


def _fitted(
    observations: Observations,
    rules: Rules,
    metric: Metric,
    endpoint: int | None,
    others: Sequence[int],
    *,
    gating: bool,
) -> Iterator[Fitted]:
    """Yield the contrast of each of the other variants with the baseline."""
    count = rules.generations
    table = levels(observations, metric, endpoint)[:count]
    reason = _unavailable(observations, rules, metric, endpoint, table[:, [0, *others]])
    d, s = contrasts(table, start_positions(rules.plan, count), log=metric.ratio)
    name = None if endpoint is None else observations.endpoints[endpoint]
    for other in others:
        contrast = describe(metric, name, rules, other, gating=gating)
        ends = [typical(table[:, column], metric) for column in (0, other)] if not reason else [None, None]
        contrast = replace(
            contrast, available=not reason, unavailable_reason=reason, before=ends[0], after=ends[1]
        )
        resolution = 0.0 if reason else _resolution(table, metric)
        least = None if reason else within_variances(observations, metric, endpoint, other)[:count]
        yield Fitted(contrast, metric, d[:, other - 1], s[:, other - 1], resolution, least)


def _resolution(table: FloatArray, metric: Metric) -> float:
    """Return the log step to which a quantile is rounded: latencies are whole microseconds."""
    return 1.0 / float(table.min()) if metric.quantile is not None else 0.0


def _unavailable(
    observations: Observations, rules: Rules, metric: Metric, endpoint: int | None, table: FloatArray
) -> str:
    """Return why the metric cannot be judged here, or nothing where it can."""
    if metric.quantile is not None:
        least = int(pair_count(observations, endpoint)[: rules.generations].min())
        needed = pairs_needed(metric.quantile)
        if least < needed:
            seconds = rules.plan.generation_s * needed / max(least, 1) * rules.plan.looks[0]
            return (
                f"not measurable here: needs {needed} pairs in every generation, had {least}; "
                f"needs about {format_duration(seconds)} of measuring"
            )
    if metric.name.startswith("cpu") and np.isnan(table).any():
        return "not available here: there are no such processes, or they are not ours to read"
    if metric.quantile is not None and np.isnan(table).any():
        return "not measurable here: it falls among the timeouts, so it is known only to be larger"
    if metric.ratio and not (table > 0).all():
        return "not available: a generation has no comparable pair"
    return "" if np.isfinite(table).all() else "not available: a generation has no request"
