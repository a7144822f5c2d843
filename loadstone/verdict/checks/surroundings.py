"""What else went on: query plans that flipped, a busy generator, a host that took CPU away."""

from __future__ import annotations

import math
from collections.abc import Sequence

from loadstone.record.journal import ResumeLine
from loadstone.record.plan import Plan
from loadstone.record.result import Check, CheckStatus
from loadstone.verdict.checks.grading import graded
from loadstone.verdict.levels import Observations

STEAL_WARN = 0.05
GENERATOR_WARN = 0.80


def check_plans(observations: Observations, plan: Plan) -> Check:
    """A database that changes its mind between generations compares more than the variants."""
    flipped = []
    for index, variant in enumerate(plan.variants):
        lines = [measured.line for measured in observations.generations]
        seen = {line.plan_fingerprints[index] for line in lines if line.plan_fingerprints}
        if len(seen) > 1:
            flipped.append(variant.name)
    return Check(
        name="query plans",
        status=CheckStatus.WARN if flipped else CheckStatus.OK,
        message=f"query plans changed between generations on {', '.join(flipped)}"
        if flipped
        else "each variant kept its query plans",
        remedy="look for statistics that were sampled anew" if flipped else "",
        value=float(len(flipped)),
    )


def check_generator(observations: Observations) -> Check:
    """A generator that is busy all the time makes latencies of its own."""
    share = max(m.line.generator_cpu_s / max(m.line.duration_s, 1e-9) for m in observations.generations)
    return graded(
        "generator",
        share,
        (GENERATOR_WARN, math.inf),
        f"the load generator used at most {share:.0%} of a core",
        "the generator is near its limit: use a lighter scenario, or FastHttpUser instead of HttpUser",
    )


def check_steal(observations: Observations) -> Check:
    """What the hypervisor gives to others is missing here."""
    shares = [m.line.steal for m in observations.generations if m.line.steal is not None]
    if not shares:
        return Check(
            name="steal", status=CheckStatus.WARN, message="this machine does not tell its steal time"
        )
    return graded(
        "steal",
        max(shares),
        (STEAL_WARN, math.inf),
        f"the host took at most {max(shares):.1%} of the CPU away",
        "the machine is shared: expect wider intervals, or use a quieter one",
    )


def check_others(observations: Observations) -> Check:
    """Runs at the same time disturb each other."""
    return others_check(max(measured.line.other_runs for measured in observations.generations))


def others_check(others: int) -> Check:
    """Return the check for a run beside so many others on this machine."""
    return Check(
        name="other runs",
        status=CheckStatus.WARN if others else CheckStatus.OK,
        message=f"{others} other runs of this machine went on at the same time"
        if others
        else "no other run of this machine went on at the same time",
        remedy="run one after the other: they disturb each other's timing" if others else "",
        value=float(others),
    )


def check_resumed(resumes: Sequence[ResumeLine]) -> Check:
    """Generations before and after a pause follow one plan; none is measured across it."""
    told = ", ".join(f"after {one.generations} generations, {one.idle_s:.0f} s later" for one in resumes)
    times = "once" if len(resumes) == 1 else f"{len(resumes)} times"
    return Check(
        name="resumed",
        status=CheckStatus.OK,
        message=f"cut short and continued {times} by the same plan: {told}",
        value=float(len(resumes)),
    )


def check_pace(observations: Observations, plan: Plan) -> Check:
    """The pace of the core is used only where the variants leave it alone."""
    pace = observations.pace
    share = pace.explained.get("service_us", 0.0)
    if not plan.pace:
        return Check(name="pace", status=CheckStatus.OK, message="the pace of the core was not sampled")
    if pace.touched:
        return Check(
            name="pace",
            status=CheckStatus.WARN,
            message=f"the core's pace differs by {pace.difference:+z.1%} between the variants: "
            "latency and CPU are compared as recorded",
            remedy="a variant that strains the caches does this; expect wider intervals",
            value=pace.difference,
        )
    return Check(
        name="pace",
        status=CheckStatus.OK,
        message="latency and CPU are compared at one pace of the core, "
        f"which explains {share:.0%} of the noise within pairs",
        value=share,
    )
