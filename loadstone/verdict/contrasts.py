"""Contrasts: each metric, endpoint by endpoint, after against before."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

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
from loadstone.verdict.levels import Observations, levels, pair_count
from loadstone.verdict.metrics import METRICS, Metric


@dataclass(frozen=True)
class Rules:
    """How a run's contrasts are judged: the plan, and its designs as the run ended."""

    plan: Plan
    gating: Design
    diagnostic: Design
    look: int
    """Index of the look that judges."""

    @property
    def generations(self) -> int:
        """Generations that the look uses."""
        return self.gating.looks[self.look]


def rules_at(plan: Plan, generations: int, *, ended: bool, decided: bool = True) -> Rules | None:
    """Return the rules for judging after `generations`, or None where no look is due.

    Args:
        plan: the frozen plan.
        generations: measured so far.
        ended: no more will come.
        decided: the data ended it; otherwise a last look spends what is left of alpha.
    """
    gating = sequential.plan(tuple(plan.looks), sequential.bonferroni(plan.alpha, contrasts_of(plan)))
    diagnostic = sequential.plan(tuple(plan.looks), plan.alpha)
    if gating.look_at(generations) is None or (ended and not decided):
        if not ended or generations < gating.looks[0]:
            return None
        gating = sequential.cut_short(gating, generations)
        diagnostic = sequential.cut_short(diagnostic, generations)
    look = gating.look_at(generations - generations % 2)
    return None if look is None else Rules(plan, gating, diagnostic, look)


def contrasts_of(plan: Plan) -> int:
    """Return how many contrasts share the alarm rate: gating metrics, times variants but the baseline."""
    return len(plan.gating) * (len(plan.variants) - 1)


def all_contrasts(observations: Observations, rules: Rules, *, gating_only: bool = False) -> list[Contrast]:
    """Return the contrasts of every metric, overall first, then endpoint by endpoint."""
    found: list[Contrast] = []
    for metric in METRICS:
        gating = metric.name in rules.plan.gating
        if gating_only and not gating:
            continue
        found += _contrasts_of(observations, rules, metric, None, gating=gating)
        if metric.per_endpoint and not gating_only:
            for endpoint in range(len(observations.endpoints)):
                found += _contrasts_of(observations, rules, metric, endpoint, gating=False)
    return found


def start_positions(plan: Plan, count: int) -> NDArray[np.int64]:
    """Return each variant's start position [generation, variant]."""
    table = np.empty((count, len(plan.variants)), dtype=np.int64)
    for index in range(count):
        for position, variant in enumerate(plan.generations[index].start_order):
            table[index, variant] = position
    return table


def _contrasts_of(
    observations: Observations, rules: Rules, metric: Metric, endpoint: int | None, *, gating: bool
) -> list[Contrast]:
    count = rules.generations
    table = levels(observations, metric, endpoint)[:count]
    names = [variant.name for variant in rules.plan.variants]
    reason = _unavailable(observations, rules, metric, endpoint, table)
    margin = _margin(rules.plan, metric)
    d, s = contrasts(table, start_positions(rules.plan, count), log=metric.ratio)
    found = []
    for other in range(1, len(names)):
        bare = Contrast(
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
        )
        if not reason:
            resolution = _resolution(table, metric)
            fitted = fit(d[:, other - 1], s[:, other - 1], resolution=resolution)
            design = rules.gating if gating else rules.diagnostic
            bare = replace(
                bare,
                before=_typical(table[:, 0], metric),
                after=_typical(table[:, other], metric),
                **_judged(fitted, design, rules.look, margin, metric),
                **_outlook(fitted, design, rules, margin, metric),
                looks=_looks(d[:, other - 1], s[:, other - 1], design, rules, metric, resolution)
                if endpoint is None
                else [],
            )
        found.append(bare)
    return found


def _judged(fitted: Fit, design: Design, look: int, margin: float, metric: Metric) -> dict[str, Any]:
    low, high, _ = sequential.repeated_interval(fitted, design, look)
    return {
        "effect": _effect(fitted, design, look, metric),
        "verdict": judge(low, high, margin, metric.direction),
        "detected": detected(low, high),
        "p_value": fitted.p_value,
        "df": fitted.df,
        "residual_sd": fitted.residual_sd,
        "start_effect": None if math.isnan(fitted.start_effect) else fitted.start_effect,
    }


def _effect(fitted: Fit, design: Design, look: int, metric: Metric) -> Effect:
    low, high, level = sequential.repeated_interval(fitted, design, look)
    scale = math.expm1 if metric.ratio else float
    return Effect(
        kind="ratio" if metric.ratio else "difference",
        estimate=scale(fitted.estimate),
        low=scale(low),
        high=scale(high),
        level=level,
    )


def _looks(
    d: FloatArray, s: FloatArray, design: Design, rules: Rules, metric: Metric, resolution: float
) -> list[Look]:
    """Return what every look so far saw, the one that judges included."""
    return [
        Look(
            generations=count,
            effect=_effect(fit(d[:count], s[:count], resolution=resolution), design, look, metric),
        )
        for look, count in enumerate(design.looks[: rules.look + 1])
    ]


def _outlook(fitted: Fit, design: Design, rules: Rules, margin: float, metric: Metric) -> dict[str, Any]:
    """Return the smallest effect that this run could see, and the time that would settle what is open."""
    low, high, _ = sequential.repeated_interval(fitted, design, rules.look)
    smallest = smallest_detectable(fitted.residual_sd, design)
    found: dict[str, Any] = {"smallest_detectable": math.expm1(smallest) if metric.ratio else smallest}
    if judge(low, high, margin, metric.direction) is Verdict.INCONCLUSIVE:
        turn_s = rules.plan.budget_s / rules.plan.max_generations
        found["more_minutes"] = more_minutes(fitted, design, margin, turn_s)
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
            seconds = rules.plan.generation_s * needed / max(least, 1) * rules.gating.looks[0]
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
