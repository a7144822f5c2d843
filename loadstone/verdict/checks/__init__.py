"""Must the measurement be believed? Validity checks fail a run, quality checks warn of it."""

from __future__ import annotations

from collections.abc import Sequence

from loadstone.record.journal import ResumeLine
from loadstone.record.plan import Plan
from loadstone.record.probed import Probe
from loadstone.record.result import Check
from loadstone.verdict.checks import amounts, deployed, inference, journeys, pairing, probing, surroundings
from loadstone.verdict.checks.controlling import control_checks
from loadstone.verdict.levels import Observations
from loadstone.verdict.rules import Rules

__all__ = ["all_checks", "control_checks"]


def all_checks(
    observations: Observations,
    plan: Plan,
    rules: Rules | None,
    probe: Probe | None,
    resumes: Sequence[ResumeLine] = (),
) -> list[Check]:
    """Return every check of the run, in the order in which reports show them."""
    checks = [probing.check_payload(probe)] if probe is not None else []
    if plan.deployed:
        checks += [deployed.check_fresh(plan), deployed.check_written(probe, observations)]
        checks += [deployed.check_unseen(plan)]
    if "pair" not in plan.lanes:
        return [*checks, *([probing.check_counted(probe, plan)] if probe and not plan.deployed else [])]
    checks += [probing.check_endpoints(probe, observations)] if probe is not None else []
    if observations.count:
        checks += [
            journeys.check_diverged(observations),
            journeys.check_scenario_errors(observations),
            journeys.check_excluded(observations),
            journeys.check_new_failures(observations, plan),
            pairing.check_quiet_gaps(observations, plan, rules),
            pairing.check_position(observations),
            surroundings.check_plans(observations, plan),
            amounts.check_pairs(observations),
            amounts.check_kept_plan(observations, plan),
            amounts.check_measurable(observations, plan, rules),
            *_of_inference(observations, rules, plan),
            surroundings.check_pace(observations, plan),
            surroundings.check_generator(observations),
            surroundings.check_steal(observations),
            surroundings.check_others(observations),
        ]
    checks.append(amounts.check_generations(observations, plan))
    checks += [surroundings.check_resumed(resumes)] if resumes else []
    return checks


def _of_inference(observations: Observations, rules: Rules | None, plan: Plan) -> list[Check]:
    if rules is None:
        return []
    return [
        inference.check_drift(observations, rules)
        if plan.deployed
        else inference.check_start_orders(observations, rules),
        inference.check_influence(observations, rules),
    ]
