"""One outcome, one exit code and one line for the whole gate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from loadstone.errors import ExitCode
from loadstone.record.gated import GateFinding, Outcome, Status

FAILING = (Status.FAILED, Status.EXPIRED)
RANK = {status: place for place, status in enumerate(Status)}
CODES = {
    Outcome.PASSED: ExitCode.OK,
    Outcome.FAILED: ExitCode.REGRESSED,
    Outcome.INVALID: ExitCode.INVALID,
    Outcome.INCONCLUSIVE: ExitCode.INCONCLUSIVE,
    Outcome.INTERRUPTED: ExitCode.INTERRUPTED,
}


def outcome_of(
    findings: Sequence[GateFinding], *, fail_inconclusive: bool, interrupted: bool = False
) -> Outcome:
    """Return what the findings come to.

    What failed, failed, whatever else could not be measured; a measurement that must not
    be believed comes before one that says too little, which ends the gate only where asked.
    """
    found = {one.status for one in findings}
    if interrupted:
        return Outcome.INTERRUPTED
    if found & set(FAILING):
        return Outcome.FAILED
    if Status.INVALID in found:
        return Outcome.INVALID
    if fail_inconclusive and Status.INCONCLUSIVE in found:
        return Outcome.INCONCLUSIVE
    return Outcome.PASSED


def exit_code(outcome: Outcome) -> int:
    """Return the process's exit code."""
    return int(CODES[outcome])


def headline(outcome: Outcome, findings: Sequence[GateFinding]) -> str:
    """Return the gate in a line: what comes first of what is worst, and how much else there is."""
    counts = Counter(one.status for one in findings)
    told = [f"{counts[status]} {status}" for status in Status if counts[status] and status is not Status.HELD]
    whole = ", ".join([*told, f"{counts[Status.HELD]} of {len(findings)} held"])
    worst = next(
        (one for one in ordered(findings) if one.status in {*FAILING, Status.INVALID, Status.INCONCLUSIVE}),
        None,
    )
    if worst is None:
        return f"{outcome}: {whole}"
    first = worst.message.splitlines()[0]
    return f"{outcome}: {worst.experiment}: {first} ({whole})"


def ordered(findings: Sequence[GateFinding]) -> list[GateFinding]:
    """Return the findings, worst first, otherwise as they are."""
    return sorted(findings, key=lambda one: RANK[one.status])
