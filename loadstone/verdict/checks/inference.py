"""Does the verdict rest on the model, or on a single generation? Nothing is ever dropped for it."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from loadstone.record.result import Check, CheckStatus
from loadstone.stats.audit import autocorrelation, influence, rerandomise
from loadstone.stats.verdicts import Verdict, detected, judge
from loadstone.verdict.contrasts import all_fitted
from loadstone.verdict.headline import NAMES
from loadstone.verdict.judging import Fitted, margin_of
from loadstone.verdict.levels import Observations
from loadstone.verdict.rules import Rules

DRIFT_QUANTILE = 2.326
"""Of the standard normal distribution, at 99%."""


def check_start_orders(observations: Observations, rules: Rules) -> Check:
    """Test by the start orders that could have been drawn: it assumes nothing of the noise.

    It warns only where it could have rejected at the gate's alpha and did not, although
    the interval excludes zero.
    """
    alpha, told, missed = rules.plan.alpha, [], []
    smallest = 1.0
    for one in _varying(observations, rules):
        audit = rerandomise(one.d) if len(rules.plan.variants) == 2 else None  # noqa: PLR2004 - swaps two labels
        if audit is None:
            continue
        smallest = audit.smallest_attainable
        told.append(f"{_name(one)} p = {audit.p_value:.2g}")
        excludes = detected(*rules.gating.interval(one.fit(rules.generations)))
        if excludes and audit.could_reject(alpha) and audit.p_value > alpha:
            missed.append(_name(one))
    message = (
        f"{', '.join(told)}; no p below {smallest:.2g} is possible with {rules.generations} generations"
        if told
        else "not told: this takes two variants, at most 80 generations, and metrics that vary"
    )
    return Check(
        name="start orders",
        status=CheckStatus.WARN if missed else CheckStatus.OK,
        message=message,
        remedy=f"for {', '.join(missed)} only the t distribution excludes zero: repeat with another --seed"
        if missed
        else "",
        value=float(len(missed)),
    )


def check_drift(observations: Observations, rules: Rules) -> Check:
    """Blocks of load on servers that go on running are no independent starts: do they hand noise on?

    The lag-1 autocorrelation of the effects' residuals, which is close to normal with
    mean -1/G and variance 1/G where there is none (Box, Jenkins, Reinsel: Time Series
    Analysis, section 2.1.6); what exceeds its one-sided 99% point warns.
    """
    told, handed = [], []
    for one in _varying(observations, rules):
        found = autocorrelation(one.d)
        told.append(f"{_name(one)} {found:+z.2f}")
        if found > DRIFT_QUANTILE / math.sqrt(one.d.size) - 1 / one.d.size:
            handed.append(_name(one))
    return Check(
        name="drift between blocks",
        status=CheckStatus.WARN if handed else CheckStatus.OK,
        message=f"a block's effect goes with the next one's by a correlation of {', '.join(told)}"
        if told
        else "no gating metric varies",
        remedy=f"{', '.join(handed)} drifts while it is measured, so that its interval is too narrow: "
        "measure later, for longer, or let Loadstone start both"
        if handed
        else "",
        value=float(len(handed)),
    )


def check_influence(observations: Observations, rules: Rules) -> Check:
    """Leave out each generation in turn: how far does the estimate move, and would the verdict change?"""
    told, hanging = [], []
    for one in _varying(observations, rules):
        found = influence(one.d, one.s)
        scale = math.expm1 if one.metric.ratio else float
        told.append(
            f"{_name(one)} {scale(found.low):+z.2%} to {scale(found.high):+z.2%} "
            f"(generation {found.generation + 1} moves it most)"
        )
        hanging += [f"{_name(one)} on generation {place + 1}" for place in _hinges(one, rules)]
    more = f" and {len(hanging) - 2} more" if len(hanging) > 2 else ""  # noqa: PLR2004 - two examples tell enough
    return Check(
        name="single generations",
        status=CheckStatus.WARN if hanging else CheckStatus.OK,
        message=f"with any one left out: {', '.join(told)}" if told else "no gating metric varies",
        remedy=f"a verdict hangs on one generation ({', '.join(hanging[:2])}{more}): give it more time"
        if hanging
        else "",
        value=float(len(hanging)),
    )


def _varying(observations: Observations, rules: Rules) -> Iterator[Fitted]:
    """Yield the gating contrasts that are measured and have any variance."""
    for one in all_fitted(observations, rules, gating_only=True):
        if one.contrast.available and one.fit(rules.generations).residual_sd > 0:
            yield one


def _hinges(one: Fitted, rules: Rules) -> list[int]:
    """Return the generations without which the verdict would be another, at the same p-value of t(G - 3)."""
    bar = rules.gating.nominal_p(rules.generations)
    if bar <= 0.0:
        return []
    verdict = _verdict(one, rules, *rules.gating.interval(one.fit(rules.generations)))
    changed = []
    for place in range(one.d.size):
        rest = one.fit_of(np.arange(one.d.size) != place)
        if _verdict(one, rules, *rest.interval(bar)) is not verdict:
            changed.append(place)
    return changed


def _verdict(one: Fitted, rules: Rules, low: float, high: float) -> Verdict:
    return judge(low, high, margin_of(rules.plan, one.metric, one.contrast.endpoint), one.metric.direction)


def _name(one: Fitted) -> str:
    name = NAMES.get(one.metric.name, one.metric.name)
    return f"{name} of {one.contrast.endpoint}" if one.contrast.endpoint else name
