"""What the gate found as JUnit XML: a case a finding, what is open is skipped and never looks like a pass."""

from __future__ import annotations

from loadstone.record.gated import GateFinding, GateResult, Status
from loadstone.report import gate_summary
from loadstone.report.exports.suites import Case, write

OUTCOMES = {
    Status.FAILED: "failure",
    Status.EXPIRED: "failure",
    Status.INVALID: "error",
    Status.INCONCLUSIVE: "skipped",
    Status.UNMEASURED: "skipped",
}


def render(result: GateResult) -> str:
    """Return the XML."""
    properties = {
        "outcome": str(result.outcome),
        "headline": result.headline,
        "base": result.base.commit or result.base.ref,
        "head": result.head.commit or result.head.ref,
        "machine": result.machine,
        "loadstone": result.loadstone_version,
    }
    title = f"gate {result.base.ref} → {result.head.ref}"
    cases = [_case(one) for one in result.findings]
    return write(title, cases, properties, seconds=result.took_s, at=result.started_at)


def _case(one: GateFinding) -> Case:
    accepted = one.acceptance
    told = [one.message, *([f"remedy: {one.remedy}"] if one.remedy else [])]
    if accepted is not None:
        told.append(
            f"accepted up to {accepted.up_to} until {accepted.until} by {accepted.who}: {accepted.reason}"
        )
    return Case(
        group=f"gate.{one.kind}",
        name=f"{one.experiment}: {gate_summary.title_of(one)}",
        outcome=OUTCOMES.get(one.status, ""),
        kind=str(one.status),
        message=one.message.splitlines()[0] if one.message else "",
        told="\n".join(told),
    )
