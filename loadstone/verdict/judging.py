"""From fits to judged contrasts, whichever lane measured them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from loadstone.record.plan import Plan
from loadstone.record.result import Contrast, Effect, Look
from loadstone.stats.discoveries import discover
from loadstone.stats.inference import Fit, fit
from loadstone.stats.planning import detectable_at, more_minutes
from loadstone.stats.repeated import Rule
from loadstone.stats.special import FloatArray
from loadstone.stats.verdicts import Verdict, detected, judge, log_margin
from loadstone.verdict.metrics import Metric, name_of
from loadstone.verdict.rules import Rules

UNBOUNDED = "not available yet: too few generations to bound it"


@dataclass(frozen=True)
class Fitted:
    """One contrast with its fit, not yet judged."""

    contrast: Contrast
    metric: Metric
    d: FloatArray
    s: FloatArray
    resolution: float
    least_variances: FloatArray | None = None
    """Variance of d_g within generations [G]; None: unknown."""

    def fit(self, generations: int) -> Fit:
        """Return the fit of the first `generations`."""
        return self.fit_of(np.arange(self.d.size) < generations)

    def fit_of(self, chosen: NDArray[np.bool_]) -> Fit:
        """Return the fit of the generations marked in `chosen` [G]."""
        least = 0.0 if self.least_variances is None else float(self.least_variances[chosen].mean())
        return fit(self.d[chosen], self.s[chosen], resolution=self.resolution, least_variance=least)


def judge_all(fitted: Sequence[Fitted], rules: Rules) -> list[Contrast]:
    """Return the contrasts with their verdicts.

    Those that gate are judged each at its share of alpha. All others are one family:
    they are judged at the one level that tells its discoveries at a false-discovery
    rate of alpha, so that interval, verdict and q-value agree.
    """
    family = [one for one in fitted if one.contrast.available and not one.contrast.gating]
    p_values = [rules.diagnostic.p_value(one.fit(rules.generations)) for one in family]
    found = discover(np.array(p_values, dtype=np.float64), rules.plan.alpha)
    q_values = {id(one): float(q) for one, q in zip(family, found.q_values, strict=True)}
    shared = rules.diagnostic.at(found.level)
    return [
        _judged(one, rules.gating if one.contrast.gating else shared, rules, q_values.get(id(one)))
        for one in fitted
    ]


def is_open(contrast: Contrast) -> bool:
    """Say whether more generations could still decide the contrast."""
    unbounded = not contrast.available and contrast.unavailable_reason == UNBOUNDED
    return unbounded or (contrast.available and contrast.verdict is Verdict.INCONCLUSIVE)


def unsettled(contrast: Contrast, plan: Plan) -> bool:
    """Say whether the interval still holds the change that the plan wants to be left out."""
    change = plan.settle.get(name_of(contrast.metric, contrast.endpoint))
    if change is None or contrast.effect is None:
        return False
    return contrast.effect.low <= change <= contrast.effect.high


def describe(metric: Metric, endpoint: str | None, rules: Rules, other: int, *, gating: bool) -> Contrast:
    """Return the bare contrast of the variant of index `other` with the baseline."""
    plan = rules.plan
    return Contrast(
        metric=metric.name,
        unit=metric.unit,
        direction=str(metric.direction),
        lane=metric.lane,
        endpoint=endpoint,
        gating=gating,
        baseline=plan.variants[0].name,
        variant=plan.variants[other].name,
        generations=rules.generations,
        margin=_margin(plan, metric, endpoint),
        available=True,
    )


def margin_of(plan: Plan, metric: Metric, endpoint: str | None = None) -> float:
    """Return the margin on the scale on which the metric is judged."""
    margin = _margin(plan, metric, endpoint)
    return log_margin(margin) if metric.ratio else margin


def _margin(plan: Plan, metric: Metric, endpoint: str | None) -> float:
    """Return the margin of this endpoint's metric, else of the metric, else of all."""
    default = plan.margin if metric.ratio else plan.error_margin
    return plan.margins.get(name_of(metric.name, endpoint), plan.margins.get(metric.name, default))


def typical(column: FloatArray, metric: Metric) -> float:
    """Return a level over the generations: geometric mean for ratios, so that it agrees with the effect."""
    return float(np.exp(np.log(column).mean())) if metric.ratio else float(column.mean())


def _judged(one: Fitted, rule: Rule, rules: Rules, q_value: float | None) -> Contrast:
    """Return the contrast with its interval and all that follows from it."""
    contrast, metric = one.contrast, one.metric
    if not contrast.available:
        return contrast
    fitted = one.fit(rules.generations)
    low, high = rule.interval(fitted)
    if not (math.isfinite(low) and math.isfinite(high)):
        return replace(contrast, available=False, unavailable_reason=UNBOUNDED, before=None, after=None)
    verdict = judge(low, high, margin_of(rules.plan, metric, contrast.endpoint), metric.direction)
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
        **_outlook(
            fitted,
            rule,
            rules,
            contrast,
            metric,
            is_open=contrast.gating and verdict is Verdict.INCONCLUSIVE,
        ),
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


def _outlook(
    fitted: Fit, rule: Rule, rules: Rules, contrast: Contrast, metric: Metric, *, is_open: bool
) -> dict[str, Any]:
    """Return the smallest effect that this run could see, and the time that would settle what is open."""
    smallest = detectable_at(fitted.residual_sd, rules.last, rule.nominal_p(rules.last))
    found: dict[str, Any] = {"smallest_detectable": math.expm1(smallest) if metric.ratio else smallest}
    if is_open:
        margin = margin_of(rules.plan, metric, contrast.endpoint)
        found["more_minutes"] = more_minutes(fitted, rule.nominal_p, margin, rules.turn_s)
    return found
