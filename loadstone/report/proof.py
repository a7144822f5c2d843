"""Claims and prices and what became of them, as a Markdown table and on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from rich.console import Console

from loadstone.errors import ConfigurationError
from loadstone.record.proof import Entry, Finding, Proof, Proven
from loadstone.report import quantities, safe
from loadstone.report.quantities import ARROW
from loadstone.report.wording import FACT_LABELS, metric_label

SYMBOLS = {
    Proven.CONFIRMED: "✓",
    Proven.NOT_CONFIRMED: "✗",
    Proven.INCONCLUSIVE: "?",
    Proven.INVALID: "!",
}
BEGIN, END = "<!-- loadstone prove: begin -->", "<!-- loadstone prove: end -->"
HEAD = ("choice", "against", "expected", "found", "interval", "so")
LEAD = (
    "Each line is a comparison of its own. *Confirmed*: the whole interval is at least as large as what was\n"
    "expected; *not confirmed*: all of it falls short; *inconclusive*: it holds what was expected; the\n"
    "other way round where at most so much was expected. Counts are exact and have no interval."
)


def markdown(proof: Proof) -> str:
    """Return the page: a table of the claims, one of the prices, and where they were measured."""
    parts = ["# What the choices gain and cost\n", LEAD + "\n"]
    for kind, entries in _kinds(proof):
        parts.append(f"## {kind.capitalize()}s\n\n{_table(entries)}\n")
    parts.append(_circumstances(proof.entries))
    return "\n".join(part for part in parts if part)


def place(page: str, proof: Proof, name: str) -> str:
    """Return a Markdown page with the tables between its marks written anew; the rest is kept.

    Args:
        page: text with a line `BEGIN` and, below it, a line `END`.
        proof: what is told.
        name: of the page, for errors.

    Raises:
        ConfigurationError: the page has not exactly one place for it.
    """
    lines = page.splitlines()
    found = [number for number, line in enumerate(lines) if line.strip() in {BEGIN, END}]
    if [lines[number].strip() for number in found] != [BEGIN, END]:
        raise ConfigurationError(
            f"{name} has no one place for the table",
            remedy=f"put two lines there, `{BEGIN}` and below it `{END}`",
        )
    parts = []
    for kind, entries in _kinds(proof):
        confirmed = sum(one.finding.proven is Proven.CONFIRMED for one in entries)
        parts.append(
            f"<details><summary>{kind.capitalize()}s: {confirmed} of {len(entries)} confirmed</summary>\n\n"
            f"{_table(entries)}\n\n</details>\n"
        )
    text = "\n".join([*parts, _circumstances(proof.entries)]).rstrip("\n")
    return "\n".join([*lines[: found[0] + 1], "", text, "", *lines[found[1] :]]) + "\n"


def render(proof: Proof, console: Console) -> None:
    """Print the same on a terminal, a few lines each."""
    for entry in proof.entries:
        choice, against, expected, found, interval, so = _cells(entry)
        lines = (
            f"{so}  {entry.kind} of {choice} against {against}",
            f"  expected  {expected}",
            f"  found     {', '.join(filter(None, (found, interval)))}",
        )
        for line in lines:
            console.print(line, markup=False, soft_wrap=True)


def _kinds(proof: Proof) -> list[tuple[str, list[Entry]]]:
    """Return the claims and the prices, each where there are any."""
    sorted_ = [(kind, [one for one in proof.entries if one.kind == kind]) for kind in ("claim", "price")]
    return [(kind, entries) for kind, entries in sorted_ if entries]


def expected_of(entry: Entry) -> str:
    """Return `mean latency lower by at least 30% (catalogue, small)`."""
    metric = FACT_LABELS.get(entry.metric) or metric_label(entry.metric)
    where = [PurePath(entry.scenario).stem, *([entry.endpoint] if entry.endpoint else []), entry.size]
    return (
        f"{metric} {entry.direction} by {quantities.bound(entry.at_least, entry.at_most)} "
        f"({', '.join(safe.name(one) for one in where)})"
    )


def _cells(entry: Entry) -> list[str]:
    finding = entry.finding
    return [
        safe.name(entry.after),
        safe.name(entry.before.partition("=")[2]),
        expected_of(entry),
        _found(finding),
        _interval(finding),
        f"{SYMBOLS[finding.proven]} {finding.proven}",
    ]


def _found(finding: Finding) -> str:
    if finding.before is None or finding.after is None:
        return safe.name(finding.reason, 120)
    ends = [quantities.quantity(one, finding.unit) for one in (finding.before, finding.after)]
    if finding.unit == "count":
        ends = [quantities.count(one) for one in (finding.before, finding.after)]
    change = "" if finding.estimate is None else f", {_signed(finding, finding.estimate)}"
    return f"{ends[0]} {ARROW} {ends[1]}{change}"


def _interval(finding: Finding) -> str:
    if finding.level is None or finding.low is None or finding.high is None:
        return "exact" if finding.after is not None and not _open(finding) else ""
    level = f"{quantities.significant(finding.level * 100, 4)}%"
    return f"{_signed(finding, finding.low)} to {_signed(finding, finding.high)} ({level})"


def _open(finding: Finding) -> bool:
    return finding.proven in {Proven.INCONCLUSIVE, Proven.INVALID}


def _signed(finding: Finding, value: float) -> str:
    low, high = finding.low, finding.high
    decimals = 1 if low is None or high is None else quantities.percent_decimals(low, high)
    return quantities.signed_percent(value, min(1, decimals))


def _table(entries: Sequence[Entry]) -> str:
    lines = [f"| {' | '.join(HEAD)} |", f"|{' --- |' * len(HEAD)}"]
    for entry in entries:
        cells = _cells(entry)
        cells[0] = f"`{cells[0]}`"
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines)


def _circumstances(entries: Sequence[Entry]) -> str:
    if not entries:
        return ""
    count = f"{len(entries)} comparison{'s' if len(entries) > 1 else ''}"
    took = quantities.duration(sum(one.took_s for one in entries))
    commits = ", ".join(dict.fromkeys(_short(one.commit) for one in entries))
    machines = ", ".join(dict.fromkeys(one.machine for one in entries))
    budgets = ", ".join(dict.fromkeys(one.budget for one in entries))
    return (
        f"{count} in {took}, at most {budgets} of measuring each; commit {commits};\n"
        f"{machines}. `loadstone prove` writes this page; each run's folder holds its report, and\n"
        "`loadstone verify` judges it again.\n"
    )


def _short(commit: str) -> str:
    """Return twelve digits of a commit, and whether there were changes beside it."""
    head, changed, _ = commit.partition(" with changes")
    return f"{head[:12]}{changed}" if " at " not in head else head.partition(" at ")[0]
