"""Contrasts of a comparison under load: the same inference over generations as for pairs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from loadstone.config.units import format_duration
from loadstone.record.plan import Plan
from loadstone.record.result import Contrast, Effect, Look
from loadstone.stats import sequential
from loadstone.stats.estimators import pairs_needed
from loadstone.stats.inference import Fit, contrasts, fit
from loadstone.stats.planning import more_minutes, smallest_detectable
from loadstone.stats.sequential import Design
from loadstone.stats.special import FloatArray
from loadstone.stats.verdicts import Verdict, detected, judge, log_margin
from loadstone.verdict.contrasts import Rules, start_positions
from loadstone.verdict.load_levels import LOAD_METRICS, LoadObservations, load_levels, request_counts
from loadstone.verdict.metrics import Metric

BUCKET_STEP = math.log1p(1 / 128)
"""Log width of a histogram's bucket; interpolation within it is not believed beyond its rounding."""


def load_contrasts(
    observations: LoadObservations, rules: Rules, *, gating_only: bool = False
) -> list[Contrast]:
    """Return the contrasts of every metric, overall first, then endpoint by endpoint."""
    found: list[Contrast] = []
    for metric in LOAD_METRICS:
        gating = metric.name in rules.plan.gating
        if gating_only and not gating:
            continue
        found += _of_metric(observations, rules, metric, None, gating=gating)
        if metric.per_endpoint and not gating_only:
            for endpoint in observations.endpoints:
                found += _of_metric(observations, rules, metric, endpoint, gating=False)
    return found


def _of_metric(
    observations: LoadObservations, rules: Rules, metric: Metric, endpoint: str | None, *, gating: bool
) -> list[Contrast]:
    count, plan = rules.generations, rules.plan
    table = load_levels(observations, metric, endpoint)[:count]
    reason = _unavailable(observations, rules, metric, endpoint, table)
    d, s = contrasts(table, start_positions(plan, count), log=metric.ratio)
    found = []
    for other in range(1, len(plan.variants)):
        bare: dict[str, Any] = {
            "metric": metric.name,
            "unit": metric.unit,
            "direction": str(metric.direction),
            "lane": metric.lane,
            "endpoint": endpoint,
            "gating": gating,
            "baseline": plan.variants[0].name,
            "variant": plan.variants[other].name,
            "generations": count,
            "margin": plan.margin if metric.ratio else plan.error_margin,
            "available": not reason,
            "unavailable_reason": reason,
        }
        if not reason:
            design = rules.gating if gating else rules.diagnostic
            judging = _Judging(d[:, other - 1], s[:, other - 1], design, rules.look, plan, metric)
            bare |= judging.fields(with_looks=endpoint is None)
            bare |= {"before": _typical(table[:, 0], metric), "after": _typical(table[:, other], metric)}
        found.append(Contrast(**bare))
    return found


class _Judging:
    """One contrast at one look."""

    def __init__(
        self, d: FloatArray, s: FloatArray, design: Design, look: int, plan: Plan, metric: Metric
    ) -> None:
        self._d, self._s = d, s
        self._design, self._look = design, look
        self._plan, self._metric = plan, metric
        self._resolution = BUCKET_STEP if metric.quantile is not None else 0.0

    def fields(self, *, with_looks: bool) -> dict[str, Any]:
        """Return what is told of it."""
        fitted = fit(self._d, self._s, resolution=self._resolution)
        low, high, _ = sequential.repeated_interval(fitted, self._design, self._look)
        margin = log_margin(self._plan.margin) if self._metric.ratio else self._plan.error_margin
        verdict = judge(low, high, margin, self._metric.direction)
        smallest = smallest_detectable(fitted.residual_sd, self._design)
        turn_s = self._plan.budget_s / self._plan.max_generations
        return {
            "effect": self._effect(fitted, self._look),
            "verdict": verdict,
            "detected": detected(low, high),
            "p_value": fitted.p_value,
            "df": fitted.df,
            "residual_sd": fitted.residual_sd,
            "start_effect": None if math.isnan(fitted.start_effect) else fitted.start_effect,
            "smallest_detectable": math.expm1(smallest) if self._metric.ratio else smallest,
            "more_minutes": more_minutes(fitted, self._design, margin, turn_s)
            if verdict is Verdict.INCONCLUSIVE
            else None,
            "looks": self._looks() if with_looks else [],
        }

    def _looks(self) -> list[Look]:
        return [
            Look(
                generations=count,
                effect=self._effect(fit(self._d[:count], self._s[:count], resolution=self._resolution), look),
            )
            for look, count in enumerate(self._design.looks[: self._look + 1])
        ]

    def _effect(self, fitted: Fit, look: int) -> Effect:
        low, high, level = sequential.repeated_interval(fitted, self._design, look)
        scale = math.expm1 if self._metric.ratio else float
        return Effect(
            kind="ratio" if self._metric.ratio else "difference",
            estimate=scale(fitted.estimate),
            low=scale(low),
            high=scale(high),
            level=level,
        )


def _typical(column: FloatArray, metric: Metric) -> float:
    return float(np.exp(np.log(column).mean())) if metric.ratio else float(column.mean())


def _unavailable(
    observations: LoadObservations, rules: Rules, metric: Metric, endpoint: str | None, table: FloatArray
) -> str:
    """Return why the metric cannot be judged here, or nothing where it can."""
    if metric.quantile is not None:
        least = int(request_counts(observations, endpoint)[: rules.generations].min())
        needed = pairs_needed(metric.quantile)
        if least < needed:
            seconds = rules.plan.generation_s * needed / max(least, 1) * rules.gating.looks[0]
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
