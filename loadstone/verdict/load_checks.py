"""Must a load run be believed? Did the generator do what was planned, when it was planned?"""

from __future__ import annotations

import math
from collections.abc import Sequence

from loadstone.gate.thresholds import Finding, Status
from loadstone.record.load_comparison import LoadDesign
from loadstone.record.load_record import BlockLine, LoadPlan
from loadstone.record.observations import Outcome
from loadstone.record.probed import Probe
from loadstone.record.recording import Recording
from loadstone.record.result import Check, CheckStatus
from loadstone.verdict.load_levels import LoadObservations
from loadstone.verdict.worker_checks import CLOCK_FAIL_S, CLOCK_WARN_S, clock_checks, graded, workers_checks

DISPATCH = "(dispatch)"
LAG_WARN_SHARE = 0.2
"""Of the lag that makes a run invalid: from there on it is a warning."""
RATE_WARN, RATE_FAIL = 0.99, 0.95
CPU_WARN, CPU_FAIL = 0.60, 0.90
"""Of one core, on which a generator runs."""
STEAL_WARN = 0.05


def load_checks(
    plan: LoadPlan, block: BlockLine, schedule: Recording, findings: Sequence[Finding]
) -> list[Check]:
    """Return every check of a load run, in the order in which reports show them."""
    checks = generator_checks(block, plan.workers)
    if plan.model == "open":
        checks = [*open_checks(block, schedule, plan.most_lag_us, plan.duration_s), *checks]
    if block.steal is not None:
        checks.append(
            graded(
                "steal",
                block.steal,
                (STEAL_WARN, math.inf),
                f"the host took {block.steal:.1%} of the CPU away",
                "the machine is shared: use a quieter one, or a longer run",
            )
        )
    if findings:
        checks.append(_thresholds(findings))
    return checks


def generator_checks(block: BlockLine, workers: int) -> list[Check]:
    """Return the checks of the generators of a block, of which `workers` were planned."""
    bound_us = max((one.clock_bound_us for one in block.workers), default=0.0)
    moved_us = max((one.clock_moved_us for one in block.workers), default=0.0)
    return [
        _generator(block),
        _clock(block),
        *clock_checks(bound_us / 1e6, moved_us / 1e6),
        _scenario(block),
        *workers_checks(workers, block),
    ]


def open_checks(block: BlockLine, schedule: Recording, most_lag_us: float, planned_s: float) -> list[Check]:
    """Return the checks of a stretch of the open model, `planned_s` long."""
    return [lag_check(schedule, most_lag_us), _rate(planned_s, block), _saturated(block)]


def lag_check(schedule: Recording, most_us: float) -> Check:
    """Work that is handed out late is not the load that was planned."""
    lag_us = schedule.quantile(0.99, "lag", endpoint=DISPATCH).value_us
    if math.isnan(lag_us):
        return Check(name="lag", status=CheckStatus.FAIL, message="no work was handed out")
    return graded(
        "lag",
        lag_us,
        (LAG_WARN_SHARE * most_us, most_us),
        f"work was handed out at most {lag_us / 1000:.2f} ms late (99%)",
        "give the generator a core of its own, lower the rate, or use a lighter client",
    )


def comparison_checks(design: LoadDesign, observations: LoadObservations, probe: Probe | None) -> list[Check]:
    """Return every check of a comparison under load."""
    checks = [_payload(probe)] if probe is not None else []
    blocks = [block for measured in observations.generations for block in measured.line.blocks]
    if not blocks:
        return checks
    schedule = Recording()
    for measured in observations.generations:
        schedule.add(measured.schedule)
    due, begun = sum(block.due for block in blocks), sum(block.begun for block in blocks)
    unsent = sum(block.not_sent + block.unfinished for block in blocks)
    share = max(block.generator_cpu_s / max(block.duration_s, 1e-9) for block in blocks)
    drift_s = max(abs(block.clock_drift_s) for block in blocks)
    errors = sum(measured.line.scenario_errors for measured in observations.generations)
    checks += [
        lag_check(schedule, design.most_lag_us),
        graded(
            "rate",
            1 - begun / max(due, 1),
            (0.0, 1 - RATE_WARN),
            f"{begun} of {due} planned arrivals were begun",
            "a variant cannot keep up with this rate: lower it",
        ),
        graded(
            "backlog",
            float(unsent),
            (0.0, 0.0),
            f"{unsent} arrivals were never sent or not finished",
            "a variant is saturated, so that times say how long the run was: lower the rate",
        ),
        graded(
            "generator",
            share,
            (CPU_WARN, CPU_FAIL),
            f"the load generator used at most {share:.0%} of a core",
            "it is near its limit: lower the rate, or use LeanHttpUser in the scenario",
        ),
        graded(
            "clock",
            drift_s,
            (CLOCK_WARN_S, CLOCK_FAIL_S),
            f"the clocks went at most {drift_s * 1000:.2f} ms apart",
            "the wall clock was set during the run: repeat it",
        ),
        *clock_checks(
            max(block.clock_bound_s for block in blocks), max(block.clock_moved_s for block in blocks)
        ),
        graded(
            "scenario",
            errors / max(due, 1),
            (0.0, 0.01),
            f"the scenario raised {errors} times",
            "run it with stock Locust and mend what it raises",
        ),
        _new_failures(observations),
        _generations(design, observations),
    ]
    return checks


def _payload(probe: Probe) -> Check:
    payload = probe.payload
    wrong = payload.checked - payload.equal
    return graded(
        "payload",
        float(wrong),
        (0.0, 0.0),
        f"{payload.equal} of {payload.checked} probed requests return the same on both variants",
        "mend the variant, or declare the difference as a payload rule of the toggle",
    )


def _new_failures(observations: LoadObservations) -> Check:
    """Look for a class of failure that only a variant other than the baseline shows."""
    seen: list[set[Outcome]] = [set() for _ in range(observations.variants)]
    for measured in observations.generations:
        for key in measured.requests.cells:
            seen[key.variant] |= {key.outcome} if key.outcome.failed else set()
    fresh = sorted({one for other in seen[1:] for one in other - seen[0]})
    labels = ", ".join(one.label for one in fresh)
    return Check(
        name="new failures",
        status=CheckStatus.WARN if fresh else CheckStatus.OK,
        message=f"after fails in a way in which before never did: {labels}"
        if fresh
        else "after fails in no way of its own",
        remedy="look at the outcomes; a new failure class is never an improvement" if fresh else "",
        value=float(len(fresh)),
    )


def _generations(design: LoadDesign, observations: LoadObservations) -> Check:
    few = observations.count < design.plan.looks[0]
    return Check(
        name="generations",
        status=CheckStatus.WARN if few else CheckStatus.OK,
        message=f"{observations.count} of at most {design.plan.max_generations} generations measured",
        remedy=f"a verdict needs {design.plan.looks[0]}: give it more time" if few else "",
        value=float(observations.count),
    )


def _rate(planned_s: float, block: BlockLine) -> Check:
    """Every arrival of the plan must have fallen due; one that the server was too slow for did too."""
    share = block.begun / block.due if block.due else 0.0
    check = graded(
        "rate",
        1 - share,
        (1 - RATE_WARN, math.inf),
        f"{block.begun} of {block.due} planned arrivals were begun ({share:.2%})",
        "the variant is slower than the plan: what was not sent counts as failed",
    )
    late_s = block.duration_s - planned_s
    if not block.aborted and block.duration_s < RATE_FAIL * planned_s:
        return Check(
            name="rate",
            status=CheckStatus.FAIL,
            message=f"the plan ended {-late_s:.1f} s early",
            remedy="repeat the run; see generator.log",
            value=1 - share,
        )
    return check


def _saturated(block: BlockLine) -> Check:
    return Check(
        name="backlog",
        status=CheckStatus.WARN if block.not_sent else CheckStatus.OK,
        message=f"saturated: {block.not_sent} arrivals were never sent, {block.unfinished} not finished"
        if block.not_sent
        else f"at most {block.backlog} pieces of work waited for one of {block.users} users",
        remedy="the variant cannot keep up: lower the rate, or allow more users" if block.not_sent else "",
        value=float(block.not_sent),
    )


def _generator(block: BlockLine) -> Check:
    share = block.generator_cpu_s / max(block.duration_s, 1e-9)
    return graded(
        "generator",
        share,
        (CPU_WARN, CPU_FAIL),
        f"the {'busiest ' if len(block.workers) > 1 else ''}load generator used {share:.0%} of a core",
        "it is near its limit: add --workers, or use LeanHttpUser instead of HttpUser, or lower the rate",
    )


def _clock(block: BlockLine) -> Check:
    return graded(
        "clock",
        abs(block.clock_drift_s),
        (CLOCK_WARN_S, CLOCK_FAIL_S),
        f"the clocks went {abs(block.clock_drift_s) * 1000:.2f} ms apart",
        "the wall clock was set during the run: repeat it",
    )


def _scenario(block: BlockLine) -> Check:
    first = f", first: {block.first_error}" if block.first_error else ""
    return Check(
        name="scenario",
        status=CheckStatus.WARN if block.scenario_errors else CheckStatus.OK,
        message=f"the scenario raised {block.scenario_errors} times{first}",
        remedy="after a failed request that may be right; else mend it" if block.scenario_errors else "",
        value=float(block.scenario_errors),
    )


def _thresholds(findings: Sequence[Finding]) -> Check:
    unknown = [one.threshold.text for one in findings if one.status is Status.UNKNOWN]
    return Check(
        name="thresholds",
        status=CheckStatus.WARN if unknown else CheckStatus.OK,
        message=f"could not be told: {', '.join(unknown)}" if unknown else "all could be told",
        remedy="check the endpoint's name, or send more requests" if unknown else "",
        value=float(len(unknown)),
    )
