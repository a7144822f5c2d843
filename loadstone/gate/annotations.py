"""Findings as annotations of GitHub: on the line that sent a statement, else on the experiment's.

The workflow commands are described in GitHub's documentation ("Workflow commands for GitHub
Actions"); `%`, line breaks and, in properties, `:` and `,` are escaped as its toolkit does.
"""

from __future__ import annotations

from collections.abc import Iterator

from loadstone.record.gated import GateFinding, GateResult, Status
from loadstone.report import gate_summary, safe

LEVELS = {
    Status.FAILED: "error",
    Status.EXPIRED: "error",
    Status.INVALID: "error",
    Status.INCONCLUSIVE: "warning",
    Status.ACCEPTED: "warning",
}
MOST = 10
"""GitHub shows ten errors and ten warnings of a step."""
LENGTH = 2_000


def annotate(result: GateResult) -> list[str]:
    """Return the workflow commands, worst first."""
    return list(_lines(result))[: 2 * MOST]


def _lines(result: GateResult) -> Iterator[str]:
    lines = {one.name: one.line for one in result.experiments}
    for one in result.findings:
        if one.status in LEVELS:
            file, line = one.file, one.line
            if not file:
                file, line = result.config, lines.get(one.experiment, 1)
            title = f"{one.experiment}: {gate_summary.title_of(one)} {one.status}"
            where = f"file={_property(file)},line={max(1, line)},title={_property(title)}"
            yield f"::{LEVELS[one.status]} {where}::{_data(_text(one))}"


def _text(one: GateFinding) -> str:
    parts = [one.message, *([f"remedy: {one.remedy}"] if one.remedy else [])]
    if one.acceptance is not None:
        parts.append(f"{one.acceptance.who}: {one.acceptance.reason}")
    return safe.block("\n".join(parts), LENGTH)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(safe.name(text, 240)).replace(":", "%3A").replace(",", "%2C")
