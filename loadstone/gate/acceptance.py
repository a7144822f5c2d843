"""What may pass although it fails: findings held against the file of accepted changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from msgspec.structs import replace

from loadstone.config.accepted import Accepted
from loadstone.config.thresholds import parse_thresholds
from loadstone.record.gated import Acceptance, GateFinding, Kind, Status
from loadstone.stats.verdicts import Direction
from loadstone.verdict import metrics


def apply(
    findings: Sequence[GateFinding], accepted: Sequence[Accepted], today: date, root: Path
) -> list[GateFinding]:
    """Return the findings, failed ones that somebody answers for as accepted, or as expired.

    Args:
        findings: of all experiments.
        accepted: entries of the file.
        today: by which entries expire.
        root: of the repository, from which files are named.
    """
    used: set[int] = set()
    found = [_held_against(one, accepted, today, root, used) for one in findings]
    seen = {one.experiment for one in findings}
    for index, entry in enumerate(accepted):
        if index not in used and entry.experiment in seen and entry.expired(today):
            found.append(_stale(entry, root))
    return found


def _held_against(
    finding: GateFinding, accepted: Sequence[Accepted], today: date, root: Path, used: set[int]
) -> GateFinding:
    if finding.status is not Status.FAILED:
        return finding
    matching = [(index, one) for index, one in enumerate(accepted) if _concerns(one, finding)]
    used |= {index for index, _ in matching}
    wide = [one for _, one in matching if _covers(one, finding)]
    if not matching:
        return finding
    if not wide:
        most = matching[-1][1]
        message = f"{finding.message}\nbeyond what was accepted: up to {most.told} ({most.reason})"
        return replace(finding, message=message, acceptance=_told(most, root))
    entry = max(wide, key=lambda one: one.until)
    if not entry.expired(today):
        return replace(finding, status=Status.ACCEPTED, remedy="", acceptance=_told(entry, root))
    message = f"{finding.message}\naccepted by {entry.who} until {entry.until}, which is over: {entry.reason}"
    return replace(
        finding,
        status=Status.EXPIRED,
        message=message,
        remedy="mend it now, or have the acceptance renewed with a later day",
        acceptance=_told(entry, root),
    )


def _concerns(entry: Accepted, finding: GateFinding) -> bool:
    if entry.experiment != finding.experiment or entry.subject != finding.subject:
        return False
    return finding.kind is Kind.BUDGET or entry.endpoint == finding.endpoint


def _covers(entry: Accepted, finding: GateFinding) -> bool:
    """Tell whether the finding stays within what was accepted."""
    if finding.kind is Kind.TIMING:
        if finding.estimate is None:
            return False
        metric = metrics.BY_NAME.get(finding.subject)
        lower = metric is None or metric.direction is Direction.LOWER
        return (finding.estimate if lower else -finding.estimate) <= entry.up_to
    if finding.after is None:
        return False
    if finding.kind is Kind.BUDGET:
        (budget,) = parse_thresholds(entry.subject)
        upward = budget.operator.startswith("<")
        return finding.after <= entry.up_to if upward else finding.after >= entry.up_to
    limit = (finding.before or 0.0) * (1 + entry.up_to) if entry.share else entry.up_to
    return finding.after <= limit + 1e-9 * max(1.0, limit)


def _stale(entry: Accepted, root: Path) -> GateFinding:
    """An entry that is over and that nothing needs: worth a word, no failure."""
    return GateFinding(
        experiment=entry.experiment,
        kind=Kind.ACCEPTANCE,
        subject=entry.subject,
        endpoint=entry.endpoint,
        status=Status.HELD,
        message=f"the acceptance until {entry.until} is over, and nothing needs it any more",
        remedy="remove the entry",
        acceptance=_told(entry, root),
    )


def _told(entry: Accepted, root: Path) -> Acceptance:
    path = Path(entry.path)
    return Acceptance(
        up_to=entry.told,
        reason=entry.reason,
        who=entry.who,
        until=entry.until.isoformat(),
        file=path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name,
        line=entry.line,
    )
