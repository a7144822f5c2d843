"""Was as much measured as was planned, and is it enough?"""

from __future__ import annotations

from loadstone.config.units import format_duration
from loadstone.record.plan import Plan
from loadstone.record.result import Check, CheckStatus, Contrast
from loadstone.verdict.contrasts import all_contrasts
from loadstone.verdict.headline import NAMES
from loadstone.verdict.levels import Observations
from loadstone.verdict.metrics import name_of
from loadstone.verdict.rules import Rules

FEW_PAIRS = 100
SHORT = 0.9
"""Share of its planned time that a generation should have measured for."""


def check_pairs(observations: Observations) -> Check:
    """A generation of few pairs says little."""
    least = min(measured.line.pairs for measured in observations.generations)
    return Check(
        name="pairs",
        status=CheckStatus.WARN if least < FEW_PAIRS else CheckStatus.OK,
        message=f"at least {least} pairs in every generation",
        remedy="give it more time: a larger --budget" if least < FEW_PAIRS else "",
        value=float(least),
    )


def check_kept_plan(observations: Observations, plan: Plan) -> Check:
    """A generation that ended early measured something else than was planned."""
    lines = [measured.line for measured in observations.generations]
    early = [line for line in lines if line.stopped_early or line.duration_s < SHORT * plan.generation_s]
    why = next((line.stopped_early for line in early if line.stopped_early), "")
    return Check(
        name="plan",
        status=CheckStatus.WARN if early else CheckStatus.OK,
        message=f"{len(early)} generations ended early" + (f": {why}" if why else "")
        if early
        else "every generation was measured for as long as planned",
        remedy="let the scenario's users go on for as long as they are asked to" if early else "",
        value=float(len(early)),
    )


def check_measurable(observations: Observations, plan: Plan, rules: Rules | None) -> Check:
    """A gating metric that cannot be measured here does not decide: say so."""
    missing = []
    if rules is not None:
        found = all_contrasts(observations, rules, gating_only=True)
        missing = sorted({_name(contrast) for contrast in found if not contrast.available})
        seen = {name_of(contrast.metric, contrast.endpoint) for contrast in found}
        missing += [f"{name} (no such request was seen)" for name in plan.gating if name not in seen]
    return Check(
        name="gating metrics",
        status=CheckStatus.WARN if missing else CheckStatus.OK,
        message=f"not measurable here, so not part of the verdict: {', '.join(missing)}"
        if missing
        else f"all {len(plan.gating)} are measured",
        remedy="give it more time, or a faster scenario: a larger --budget" if missing else "",
        value=float(len(missing)),
    )


def _name(contrast: Contrast) -> str:
    return NAMES[contrast.metric] + (f" of {contrast.endpoint}" if contrast.endpoint else "")


def check_generations(observations: Observations, plan: Plan) -> Check:
    """A verdict needs a least number of generations."""
    few = observations.count < plan.looks[0]
    more_s = (plan.looks[0] - observations.count) * plan.budget_s / plan.max_generations
    return Check(
        name="generations",
        status=CheckStatus.WARN if few else CheckStatus.OK,
        message=f"{observations.count} of at most {plan.max_generations} generations measured",
        remedy=f"a verdict needs {plan.looks[0]}, about {format_duration(more_s)} more: "
        "give it more time, or do not interrupt it"
        if few
        else "",
        value=float(observations.count),
    )
