"""Contrasts of a comparison under load: the same inference over generations as for pairs."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from msgspec.structs import replace

from loadstone.config.units import format_duration
from loadstone.record.result import Contrast
from loadstone.stats.estimators import pairs_needed
from loadstone.stats.inference import contrasts
from loadstone.stats.special import FloatArray
from loadstone.verdict.contrasts import start_positions
from loadstone.verdict.judging import Fitted, describe, judge_all, typical
from loadstone.verdict.load_levels import LOAD_METRICS, LoadObservations, load_levels, request_counts
from loadstone.verdict.metrics import Metric
from loadstone.verdict.rules import Rules

BUCKET_STEP = math.log1p(1 / 128)
"""Log width of a histogram's bucket; interpolation within it is not believed beyond its rounding."""


def load_contrasts(
    observations: LoadObservations, rules: Rules, *, gating_only: bool = False
) -> list[Contrast]:
    """Return the contrasts of every metric, overall first, then endpoint by endpoint."""
    found: list[Fitted] = []
    for metric in LOAD_METRICS:
        gating = metric.name in rules.plan.gating
        if gating_only and not gating:
            continue
        found += _fitted(observations, rules, metric, None, gating=gating)
        if metric.per_endpoint and not gating_only:
            for endpoint in observations.endpoints:
                found += _fitted(observations, rules, metric, endpoint, gating=False)
    return judge_all(found, rules)


def _fitted(
    observations: LoadObservations, rules: Rules, metric: Metric, endpoint: str | None, *, gating: bool
) -> Iterator[Fitted]:
    count = rules.generations
    table = load_levels(observations, metric, endpoint)[:count]
    reason = _unavailable(observations, rules, metric, endpoint, table)
    d, s = contrasts(table, start_positions(rules.plan, count), log=metric.ratio)
    resolution = BUCKET_STEP if metric.quantile is not None else 0.0
    for other in range(1, len(rules.plan.variants)):
        contrast = describe(metric, endpoint, rules, other, gating=gating)
        ends = [typical(table[:, column], metric) for column in (0, other)] if not reason else [None, None]
        contrast = replace(
            contrast, available=not reason, unavailable_reason=reason, before=ends[0], after=ends[1]
        )
        yield Fitted(contrast, metric, d[:, other - 1], s[:, other - 1], resolution)


def _unavailable(
    observations: LoadObservations, rules: Rules, metric: Metric, endpoint: str | None, table: FloatArray
) -> str:
    """Return why the metric cannot be judged here, or nothing where it can."""
    if metric.quantile is not None:
        least = int(request_counts(observations, endpoint)[: rules.generations].min())
        needed = pairs_needed(metric.quantile)
        if least < needed:
            seconds = rules.plan.generation_s * needed / max(least, 1) * rules.plan.looks[0]
            return (
                f"not measurable here: needs {needed} requests in every generation, had {least}; "
                f"needs about {format_duration(seconds)} of measuring, or a higher rate"
            )
        if np.isnan(table).any():
            return "not measurable here: it falls among requests that were given up"
    if metric.name.startswith("cpu") and np.isnan(table).any():
        return "not available here: there are no such processes, or they are not ours to read"
    if metric.ratio and not (table > 0).all():
        return "not available: a generation has nothing to compare"
    return "" if np.isfinite(table).all() else "not available: a generation has no request"
