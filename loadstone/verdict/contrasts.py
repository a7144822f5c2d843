"""Contrasts: each metric, endpoint by endpoint, after against before."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from loadstone.config.units import format_duration
from loadstone.record.plan import Plan
from loadstone.record.result import Contrast, Effect, Look
from loadstone.stats.discoveries import discover
from loadstone.stats.estimators import pairs_needed
from loadstone.stats.inference import Fit, contrasts, fit
from loadstone.stats.planning import detectable_at, more_minutes
from loadstone.stats.repeated import Rule
from loadstone.stats.special import FloatArray
from loadstone.stats.verdicts import Verdict, detected, judge, log_margin
from loadstone.verdict.levels import Observations, levels, pair_count
from loadstone.verdict.metrics import METRICS, Metric
from loadstone.verdict.rules import Rules

UNBOUNDED = "not available yet: too few generations to bound it"


@dataclass(frozen=True)
class _Fitted:
    """One contrast with its fit, not yet judged."""

    contrast: Contrast
    metric: Metric
    d: FloatArray
    s: FloatArray
    resolution: float

    def fit(self, generations: int) -> Fit:
        """Return the fit of the first `generations`."""
        return fit(self.d[:generations], self.s[:generations], resolution=self.resolution)


def all_contrasts(observations: Observations, rules: Rules, *, gating_only: bool = False) -> list[Contrast]:
    """Return the contrasts of every metric, overall first, then endpoint by endpoint.

    Those that gate are judged each at its share of alpha. All others are one family:
    they are judged at the one level that tells its discoveries at a false-discovery
    rate of alpha, so that interval, verdict and q-value agree.
    """
    fitted = list(_all_fitted(observations, rules, gating_only=gating_only))
    family = [one for one in fitted if one.contrast.available and not one.contrast.gating]
    p_values = [rules.diagnostic.p_value(one.fit(rules.generations)) for one in family]
    found = discover(np.array(p_values, dtype=np.float64), rules.plan.alpha)
    q_values = {id(one): float(q) for one, q in zip(family, found.q_values, strict=True)}
    shared = rules.diagnostic.at(found.level)
    return [
        _judged(one, rules.gating if one.contrast.gating else shared, rules, q_values.get(id(one)))
        for one in fitted
    ]


def _all_fitted(observations: Observations, rules: Rules, *, gating_only: bool) -> Iterator[_Fitted]:
    for metric in METRICS:
        gating = metric.name in rules.plan.gating
        if gating_only and not gating:
            continue
        yield from _fitted(observations, rules, metric, None, gating=gating)
        if metric.per_endpoint and not gating_only:
            for endpoint in range(len(observations.endpoints)):
                yield from _fitted(observations, rules, metric, endpoint, gating=False)


def start_positions(plan: Plan, count: int) -> NDArray[np.int64]:
    """Return each variant's start position [generation, variant]."""
    table = np.empty((count, len(plan.variants)), dtype=np.int64)
    for index in range(count):
        for position, variant in enumerate(plan.generations[index].start_order):
            table[index, variant] = position
    return table


def _fitted(
    observations: Observations, rules: Rules, metric: Metric, endpoint: int | None, *, gating: bool
) -> Iterator[_Fitted]:
    """Yield the contrast of every variant with the baseline."""
    count = rules.generations
    table = levels(observations, metric, endpoint)[:count]
    names = [variant.name for variant in rules.plan.variants]
    reason = _unavailable(observations, rules, metric, endpoint, table)
    d, s = contrasts(table, start_positions(rules.plan, count), log=metric.ratio)
    for other in range(1, len(names)):
        contrast = Contrast(
            metric=metric.name,
            unit=metric.unit,
            direction=str(metric.direction),
            lane=metric.lane,
            endpoint=None if endpoint is None else observations.endpoints[endpoint],
            gating=gating,
            baseline=names[0],
            variant=names[other],
            generations=count,
            margin=rules.plan.margin if metric.ratio else rules.plan.error_margin,
            available=not reason,
            unavailable_reason=reason,
            before=None if reason else _typical(table[:, 0], metric),
            after=None if reason else _typical(table[:, other], metric),
        )
        resolution = 0.0 if reason else _resolution(table, metric)
        yield _Fitted(contrast, metric, d[:, other - 1], s[:, other - 1], resolution)


def _judged(one: _Fitted, rule: Rule, rules: Rules, q_value: float | None) -> Contrast:
    """Return the contrast with its interval and all that follows from it."""
    contrast, metric = one.contrast, one.metric
    if not contrast.available:
        return contrast
    fitted = one.fit(rules.generations)
    low, high = rule.interval(fitted)
    if not (math.isfinite(low) and math.isfinite(high)):
        return replace(contrast, available=False, unavailable_reason=UNBOUNDED, before=None, after=None)
    verdict = judge(low, high, _margin(rules.plan, metric), metric.direction)
    looks = rules.looks if contrast.endpoint is None else ()
    return replace(
        contrast,
        effect=_effect(fitted, rule, metric),
        verdict=verdict,
        detected=detected(low, high),
        p_value=fitted.p_value,
        q_value=q_value,
        df=fitted.df,
        residual_sd=fitted.residual_sd,
        start_effect=None if math.isnan(fitted.start_effect) else fitted.start_effect,
        looks=[
            Look(generations=count, effect=effect)
            for count in looks
            for effect in [_effect(one.fit(count), rule, metric)]
            if math.isfinite(effect.high)
        ],
        **_outlook(fitted, rule, rules, metric, is_open=contrast.gating and verdict is Verdict.INCONCLUSIVE),
    )


def _effect(fitted: Fit, rule: Rule, metric: Metric) -> Effect:
    low, high = rule.interval(fitted)
    scale = math.expm1 if metric.ratio else float
    return Effect(
        kind="ratio" if metric.ratio else "difference",
        estimate=scale(fitted.estimate),
        low=scale(low),
        high=scale(high),
        level=1.0 - rule.alpha,
    )


def _outlook(fitted: Fit, rule: Rule, rules: Rules, metric: Metric, *, is_open: bool) -> dict[str, Any]:
    """Return the smallest effect that this run could see, and the time that would settle what is open."""
    smallest = detectable_at(fitted.residual_sd, rules.last, rule.nominal_p(rules.last))
    found: dict[str, Any] = {"smallest_detectable": math.expm1(smallest) if metric.ratio else smallest}
    if is_open:
        turn_s = rules.plan.budget_s / rules.plan.max_generations
        found["more_minutes"] = more_minutes(fitted, rule.nominal_p, _margin(rules.plan, metric), turn_s)
    return found


def _margin(plan: Plan, metric: Metric) -> float:
    return log_margin(plan.margin) if metric.ratio else plan.error_margin


def _resolution(table: FloatArray, metric: Metric) -> float:
    """Return the log step to which a quantile is rounded: latencies are whole microseconds."""
    return 1.0 / float(table.min()) if metric.quantile is not None else 0.0


def _typical(column: FloatArray, metric: Metric) -> float:
    """Return a level over the generations: geometric mean for ratios, so that it agrees with the effect."""
    return float(np.exp(np.log(column).mean())) if metric.ratio else float(column.mean())


def _unavailable(
    observations: Observations, rules: Rules, metric: Metric, endpoint: int | None, table: FloatArray
) -> str:
    """Return why the metric cannot be judged here, or nothing where it can."""
    if metric.quantile is not None:
        least = int(pair_count(observations, endpoint)[: rules.generations].min())
        needed = pairs_needed(metric.quantile)
        if least < needed:
            seconds = rules.plan.generation_s * needed / max(least, 1) * rules.looks[0]
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
