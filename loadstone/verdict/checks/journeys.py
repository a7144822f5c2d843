"""Did all variants walk the same journeys, and end them well?"""

from __future__ import annotations

import math

import numpy as np

from loadstone.record.observations import Outcome
from loadstone.record.plan import Plan
from loadstone.record.result import Check, CheckStatus
from loadstone.verdict.checks.grading import graded
from loadstone.verdict.levels import Observations

DIVERGED_WARN, DIVERGED_FAIL = 0.01, 0.10
ERRORS_WARN, ERRORS_FAIL = 0.0, 0.01
EXCLUDED_WARN = 0.01


def check_diverged(observations: Observations) -> Check:
    """Journeys that part company send unlike requests."""
    diverged = sum(measured.line.diverged for measured in observations.generations)
    share = diverged / max(1, sum(measured.line.iterations for measured in observations.generations))
    return graded(
        "journeys in step",
        share,
        (DIVERGED_WARN, DIVERGED_FAIL),
        f"{diverged} journeys took different steps on the variants ({share:.1%} of iterations)",
        "let the scenario decide by random draws and by data that all variants return",
    )


def check_scenario_errors(observations: Observations) -> Check:
    """A scenario that raises does not walk its journeys."""
    errors = sum(measured.line.scenario_errors for measured in observations.generations)
    first = next((m.line.first_error for m in observations.generations if m.line.first_error), "")
    share = errors / max(1, sum(measured.line.iterations for measured in observations.generations))
    return graded(
        "scenario",
        share,
        (ERRORS_WARN, ERRORS_FAIL),
        f"the scenario raised {errors} times" + (f", first: {first}" if first else ""),
        "run it with stock Locust and mend what it raises",
    )


def check_excluded(observations: Observations) -> Check:
    """Latency is compared where every variant answered well: how often was that?"""
    total = sum(measured.rows.size for measured in observations.generations)
    kept = sum(int(measured.good.sum()) for measured in observations.generations)
    share = 1 - kept / total if total else 1.0
    return graded(
        "answered well",
        share,
        (EXCLUDED_WARN, math.inf),
        f"latency is compared over {1 - share:.1%} of the requests, those that every variant answered well",
        "look at the outcomes: a failure that is fast does not count as fast",
    )


def check_new_failures(observations: Observations, plan: Plan) -> Check:
    """Look for a class of failure that only a variant other than the baseline shows."""
    seen: list[set[int]] = [set() for _ in range(observations.variants)]
    for measured in observations.generations:
        for variant in range(observations.variants):
            rows = measured.rows
            seen[variant] |= {int(one) for one in np.unique(rows["outcome"][rows["variant"] == variant])}
    fresh = sorted({one for other in plan.judged for one in seen[other] - seen[0]} - {Outcome.OK})
    labels = ", ".join(Outcome(one).label for one in fresh)
    return Check(
        name="new failures",
        status=CheckStatus.WARN if fresh else CheckStatus.OK,
        message=f"after fails in a way in which before never did: {labels}"
        if fresh
        else "after fails in no way of its own",
        remedy="look at the outcomes; a new failure class is never an improvement" if fresh else "",
        value=float(len(fresh)),
    )
