"""What a comparison of deployments cannot know: they ran before it, and go on after it."""

from __future__ import annotations

from loadstone.record.plan import Plan
from loadstone.record.probed import Probe
from loadstone.record.result import Check, CheckStatus
from loadstone.verdict.levels import Observations

UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


def check_fresh(plan: Plan) -> Check:
    """Another thing is measured than with starts of one's own: say which."""
    timed = " and what another start would change is not in the intervals" if "pair" in plan.lanes else ""
    return Check(
        name="nothing was started",
        status=CheckStatus.WARN,
        message="compared are two servers as they stand: whatever tells them apart (code, host, data, "
        f"settings, how long they have run, what they have cached) is part of the difference,{timed}"
        if timed
        else "compared are two servers as they stand, with the data that they have",
        remedy="to learn what the code does, let Loadstone start both: as commits, or as choices of toggles",
    )


def check_unseen(plan: Plan) -> Check:
    """What is not ours to read is told, so that nobody takes its absence for a zero."""
    read = [
        f"{one.name}: {one.provenance['process']}, with what it has forked"
        for one in plan.variants
        if "process" in one.provenance
    ]
    whose = f"server CPU is that of {' and '.join(read)}" if read else "nor its CPU and memory"
    return Check(
        name="what is not seen",
        status=CheckStatus.OK,
        message="of a deployment, queries, rows, plans, cache commands and the CPU of its database are not "
        f"available; {whose}",
    )


def check_written(probe: Probe | None, observations: Observations) -> Check:
    """Deployments get no fresh data: what a scenario writes stays, and adds up."""
    known = {*observations.endpoints, *(fact.endpoint for fact in (probe.facts if probe else []))}
    writing = sorted(name for name in known if name.partition(" ")[0] in UNSAFE)
    return Check(
        name="left behind",
        status=CheckStatus.WARN if writing else CheckStatus.OK,
        message=f"what {', '.join(writing[:5])}{' …' if writing[5:] else ''} wrote is still there, on both"
        if writing
        else "the scenario sent nothing that writes",
        remedy="each block met the data that the ones before it had left: give both a database of their own, "
        "and clean it"
        if writing
        else "",
        value=float(len(writing)),
    )
