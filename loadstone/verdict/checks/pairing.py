"""Do pairs measure the variants, and not what one does to the other?"""

from __future__ import annotations

import math

import numpy as np

from loadstone.record.plan import Plan
from loadstone.record.result import Check, CheckStatus
from loadstone.stats.gaps import GapCheck, check_gaps
from loadstone.stats.inference import contrasts
from loadstone.stats.verdicts import log_margin
from loadstone.verdict.contrasts import start_positions
from loadstone.verdict.levels import Observations, levels
from loadstone.verdict.metrics import BY_NAME
from loadstone.verdict.rules import Rules

QUIET_GAPS, IN_FLIGHT = "quiet gaps", "in flight"
POSITION_WARN = 0.25


def check_quiet_gaps(observations: Observations, plan: Plan, rules: Rules | None) -> Check:
    """Deferred work spills onto the other variant unless quiet gaps keep them apart."""
    name = IN_FLIGHT if plan.in_flight > 1 else QUIET_GAPS
    if rules is None:
        return Check(name=name, status=CheckStatus.WARN, message="too few generations to tell")
    count = rules.generations
    metric = BY_NAME["latency_mean"]
    positions = start_positions(plan, count)
    few = Check(
        name=name, status=CheckStatus.WARN, message="not enough pairs with quiet gaps in every generation"
    )
    worst: Check | None = None
    tables = [levels(observations, metric, None, gap=gap)[:count] for gap in (0, 1)]
    without, _ = contrasts(tables[0], positions)
    with_gaps, _ = contrasts(tables[1], positions)
    for other in (index - 1 for index in plan.judged):
        if not np.isfinite(with_gaps[:, other]).all() or not np.isfinite(without[:, other]).all():
            return few
        found = check_gaps(with_gaps[:, other], without[:, other], log_margin(plan.margin))
        effects = [math.expm1(float(side[:, other].mean())) for side in (with_gaps, without)]
        if worst is not None and not found.differs:
            continue
        worst = _told(found, effects, plan)
    return worst or few


def _told(found: GapCheck, effects: list[float], plan: Plan) -> Check:
    """Say what a pair is worth that has company: of work put off, or of others in flight."""
    if plan.in_flight > 1:
        return Check(
            name=IN_FLIGHT,
            status=CheckStatus.WARN if found.differs else CheckStatus.OK,
            message=f"the effect is {effects[1]:+z.1%} with {plan.in_flight} pairs in flight and "
            f"{effects[0]:+z.1%} alone on the wire (p = {found.p_value:.2g} that they are the same)",
            remedy="the verdict is about users who come at the same time; --in-flight 1 asks about one alone"
            if found.differs
            else "",
            value=found.difference,
        )
    return Check(
        name=QUIET_GAPS,
        status=CheckStatus.FAIL if found.differs else CheckStatus.OK,
        message=f"the effect is {effects[0]:+z.1%} with quiet gaps and {effects[1]:+z.1%} without "
        f"(p = {found.p_value:.2g} that they are the same)",
        remedy="a variant works on after it has answered; let the load lane decide" if found.differs else "",
        value=found.difference,
    )


def check_position(observations: Observations) -> Check:
    """The second request of a pair is often a little faster; much faster hints at the network stack."""
    logs = []
    for measured in observations.generations:
        rows = measured.rows[measured.good & (measured.rows["gap"] == 0)]
        for variant in range(observations.variants):
            own = rows[rows["variant"] == variant]
            first, second = (own["service_us"][own["position"] == place] for place in (0, 1))
            if first.size and second.size:
                logs.append(math.log(max(1.0, np.median(second)) / max(1.0, np.median(first))))
    effect = math.expm1(float(np.mean(logs))) if logs else 0.0
    return Check(
        name="place in the pair",
        status=CheckStatus.WARN if abs(effect) > POSITION_WARN else CheckStatus.OK,
        message=f"the second request of a pair is {effect:+z.0%} against the first; the order is random",
        remedy="look for delayed acknowledgements: a server that sends head and body in two writes"
        if abs(effect) > POSITION_WARN
        else "",
        value=effect,
    )
