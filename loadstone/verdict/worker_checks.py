"""Do several workers make one generator? Who was missing, do they add up, how well are their clocks known?"""

from __future__ import annotations

import math

from loadstone.record.load_record import BlockLine
from loadstone.record.result import Check, CheckStatus

CLOCK_WARN_S, CLOCK_FAIL_S = 0.005, 0.1
LOST_FAIL = 0.01
"""Share of arrivals of which a worker that died told nothing."""
SENDABLE_SHARE = 0.60
"""Share of what the generators can send that a plan may ask for."""


def workers_checks(planned: int, block: BlockLine) -> list[Check]:
    """Every worker that was planned must have taken part to the end, and all must add up to the plan."""
    alone = planned == 1 and len(block.workers) == 1 and not block.mismatch
    if alone or not block.workers:  # none told anything where the block did not come to its end
        return []
    missing = max(0, planned - sum(not one.first for one in block.workers))
    told = [
        f"{one.name} {one.ended} and left {one.lost} arrivals untold" for one in block.workers if one.ended
    ]
    told += [f"{one.name} joined at arrival {one.first}" for one in block.workers if one.first]
    told += [f"{missing} of {planned} never took part"] if missing else []
    share = block.lost / max(block.due, 1)
    return [
        Check(
            name="workers",
            status=_grade(block, share) if told else CheckStatus.OK,
            message="; ".join(told) or f"all {len(block.workers)} workers took part to the end",
            remedy="see the generators' logs; repeat the run" if told else "",
            value=share,
        ),
        Check(
            name="sum",
            status=CheckStatus.FAIL if block.mismatch else CheckStatus.OK,
            message=block.mismatch
            or f"{block.due} arrivals and {sum(one.requests for one in block.workers)} requests: "
            "the sum over workers is the plan's",
            remedy="repeat the run" if block.mismatch else "",
        ),
    ]


def _grade(block: BlockLine, lost_share: float) -> CheckStatus:
    """Users of the closed model that are gone are never made up for; arrivals are, but for the lost ones."""
    users_gone = block.planned is None and any(one.ended for one in block.workers)
    return CheckStatus.FAIL if users_gone or lost_share > LOST_FAIL else CheckStatus.WARN


def clock_checks(bound_s: float, moved_s: float) -> list[Check]:
    """How well the clocks of workers on other hosts are known; nothing where there are none."""
    if not bound_s:
        return []
    return [
        graded(
            "worker clocks",
            bound_s + moved_s,
            (CLOCK_WARN_S, CLOCK_FAIL_S),
            f"workers' clocks are known to ±{bound_s * 1000:.2f} ms, and went {moved_s * 1000:.2f} ms apart",
            "use a faster network between the hosts, or a shorter run",
        )
    ]


def sendable_problem(peak_rps: float, sendable_rps: float, workers: int = 1) -> str:
    """Return why a plan is beyond the generators, or nothing."""
    if peak_rps <= SENDABLE_SHARE * sendable_rps:
        return ""
    who = "this generator" if workers == 1 else f"these {workers} workers together"
    return (
        f"the plan asks for {peak_rps:,.0f} requests/s, and with this scenario's client "
        f"{who} can send {sendable_rps:,.0f}"
    )


def more_workers(peak_rps: float, sendable_rps: float, workers: int, cores: int) -> str:
    """Return what helps against a plan beyond the generators, on a machine with so many cores."""
    needed = math.ceil(peak_rps / (SENDABLE_SHARE * sendable_rps / min(workers, cores)))
    if needed <= cores:
        return f"add --workers {needed}, lower the rate, or use LeanHttpUser in the scenario"
    return (
        f"it takes some {needed} workers, each with a core of its own: --workers {cores} here and "
        "`loadstone worker` on other machines; or lower the rate, or use LeanHttpUser in the scenario"
    )


def graded(name: str, value: float, limits: tuple[float, float], message: str, remedy: str) -> Check:
    """Return a check that warns above the first limit and fails above the second."""
    warn, fail = limits
    status = CheckStatus.FAIL if value > fail else CheckStatus.WARN if value > warn else CheckStatus.OK
    told = "" if status is CheckStatus.OK else remedy
    return Check(name=name, status=status, message=message, remedy=told, value=value)
