"""What the gate found, as Markdown for a pull request and on a terminal.

The record may come from a stranger's pull request: every text of it is made harmless.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from loadstone.record.gated import Acceptance, GateFinding, GateResult, GateSide, Kind, Outcome, Status
from loadstone.report import quantities, safe
from loadstone.report.markdown import code, escape
from loadstone.report.quantities import ARROW
from loadstone.report.wording import FACT_LABELS, metric_label

MARKER = "<!-- loadstone-gate -->"
"""First line of the comment on a pull request, by which it is found again."""
MOST_ROWS, MOST_TOLD = 40, 10
MESSAGE = 600
DIGITS = 12
SYMBOLS = {
    Status.HELD: ("✓", "green"),
    Status.ACCEPTED: ("✓", "yellow"),
    Status.FAILED: ("✗", "bold red"),
    Status.EXPIRED: ("✗", "bold red"),
    Status.INCONCLUSIVE: ("?", "yellow"),
    Status.UNMEASURED: ("–", "dim"),
    Status.INVALID: ("!", "bold magenta"),
}
OUTCOMES = {
    Outcome.PASSED: ("✓", "bold green"),
    Outcome.FAILED: ("✗", "bold red"),
    Outcome.INVALID: ("!", "bold magenta"),
    Outcome.INCONCLUSIVE: ("?", "bold yellow"),
    Outcome.INTERRUPTED: ("!", "bold yellow"),
}
LOUD = (Status.FAILED, Status.EXPIRED, Status.INVALID, Status.INCONCLUSIVE, Status.ACCEPTED)
_HEAD = ("", "experiment", "what must hold", "before → after", "change")


def markdown(result: GateResult) -> str:
    """Return the result as GitHub-flavoured Markdown."""
    loud = [one for one in result.findings if one.status in LOUD]
    quiet = [one for one in result.findings if one.status not in LOUD]
    parts = [
        f"{MARKER}\n### {OUTCOMES[result.outcome][0]} Gate {result.outcome}",
        f"{_side(result.base)} {ARROW} {_side(result.head)}",
        _table(loud),
        *(_told(one) for one in loud[:MOST_TOLD]),
        _folded(f"What else was looked at ({len(quiet)})", _table(quiet)),
        _folded("Experiments, machine", _circumstances(result)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def render(result: GateResult, console: Console, *, where: str = "") -> None:
    """Print the result on a terminal: what is not simply held, then a line for each experiment."""

    def say(text: Text) -> None:
        console.print(text, soft_wrap=True)

    symbol, style = OUTCOMES[result.outcome]
    title = f"  {safe.name(_plain(result.base))} {ARROW} {safe.name(_plain(result.head))}"
    say(_marked(f"{symbol} GATE {str(result.outcome).upper()}", style, title))
    for one in result.findings:
        if one.status in LOUD or one.kind is Kind.ACCEPTANCE:
            mark, colour = SYMBOLS[one.status]
            first, *rest = safe.block(one.message, MESSAGE).splitlines() or [""]
            say(_marked(f"{mark} {one.status}", colour, f"  {safe.name(one.experiment)}: {first}"))
            lines = [*rest, *([f"remedy: {one.remedy}"] if one.remedy else []), *_accepted(one.acceptance)]
            for line in lines:
                say(Text(f"    {safe.name(line, 400)}", style="dim"))
    for experiment in result.experiments:
        held = sum(one.status is Status.HELD for one in result.findings if one.experiment == experiment.name)
        timed = experiment.headline if experiment.measured else "not timed"
        told = f"{experiment.name}: {held} held, {timed or 'exact facts alone'}, {experiment.took_s:.0f} s"
        say(Text(safe.name(told, 400), style="dim"))
    say(Text(f"{_took(result)}{f'; {where}' if where else ''}", style="dim"))


def _marked(mark: str, style: str, text: str) -> Text:
    return Text(mark, style=style).append(text, style="not bold default")


def _took(result: GateResult) -> str:
    exact = result.exact_took_s
    told = f", exact facts known after {quantities.duration(exact)}" if exact is not None else ""
    return f"took {quantities.duration(result.took_s)}{told}"


def title_of(one: GateFinding) -> str:
    """Return what a finding is about: `queries of GET /products`, `p99<200ms`."""
    if one.kind is Kind.EXACT:
        label = FACT_LABELS.get(one.subject, one.subject)
    else:
        label = metric_label(one.subject) if one.kind is Kind.TIMING else one.subject
    named = one.endpoint is not None and one.endpoint not in label
    return f"{label} of {one.endpoint}" if named else label


def change_of(one: GateFinding) -> str:
    """Return a finding's effect with its interval; nothing where it has none."""
    if one.estimate is None:
        return ""
    if one.unit == "share":
        return f"{one.estimate * 100:+z.2f} pp".replace("-", quantities.MINUS)
    low, high = one.low if one.low is not None else -1.0, one.high if one.high is not None else 1.0
    decimals = quantities.percent_decimals(low, high)
    shown = [quantities.signed_percent(value, decimals) for value in (one.estimate, low, high)]
    return f"{shown[0]} [{shown[1]}, {shown[2]}]"


def _levels(one: GateFinding) -> str:
    if one.after is None:
        return ""
    after = quantities.quantity(one.after, one.unit)
    return after if one.before is None else f"{quantities.quantity(one.before, one.unit)} {ARROW} {after}"


def _table(findings: Sequence[GateFinding]) -> str:
    if not findings:
        return ""
    lines = [f"| {' | '.join(_HEAD)} |", f"|{' --- |' * len(_HEAD)}"]
    for one in findings[:MOST_ROWS]:
        cells = (
            f"{SYMBOLS[one.status][0]} {one.status}",
            escape(one.experiment),
            code(title_of(one)),
            escape(_levels(one)),
            escape(change_of(one)),
        )
        lines.append(f"| {' | '.join(cells)} |")
    if len(findings) > MOST_ROWS:
        lines.append(f"\nand {len(findings) - MOST_ROWS} more in gate.json")
    return "\n".join(lines)


def _told(one: GateFinding) -> str:
    first, *rest = safe.block(one.message, 4 * MESSAGE).splitlines() or [""]
    lines = [f"- {SYMBOLS[one.status][0]} {escape(one.experiment)}: {escape(first, MESSAGE)}"]
    lines += [f"  - {code(line, 400)}" for line in rest[:MOST_TOLD]]
    lines += [f"  - {escape(line, MESSAGE)}" for line in _accepted(one.acceptance)]
    if one.file:
        lines.append(f"  - sent from {code(f'{one.file}:{one.line}')}")
    if one.remedy:
        lines.append(f"  - remedy: {escape(one.remedy, MESSAGE)}")
    return "\n".join(lines)


def _accepted(one: Acceptance | None) -> list[str]:
    if one is None:
        return []
    place = f"{one.file}:{one.line}"
    return [f"accepted up to {one.up_to} until {one.until} by {one.who}: {one.reason} ({place})"]


def _circumstances(result: GateResult) -> str:
    facts: list[str] = []
    for one in result.experiments:
        timed = escape(one.headline, MESSAGE) if one.headline else "exact facts alone"
        runs = ", ".join(code(run) for run in one.runs) or "none"
        facts.append(f"{escape(one.name)}: {timed}, {quantities.duration(one.took_s)}; runs {runs}")
    facts.append(_took(result))
    version = escape(result.loadstone_version)
    facts.append(f"{escape(result.machine)}, Loadstone {version}, {code(result.config)}")
    return "\n".join(f"- {fact}" for fact in facts)


def _folded(title: str, body: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>" if body else ""


def _side(side: GateSide) -> str:
    subject = f" ({escape(side.subject)})" if side.subject else ""
    return f"{code(_name(side))}{subject}"


def _plain(side: GateSide) -> str:
    return f"{_name(side)} ({side.subject})" if side.subject else _name(side)


def _name(side: GateSide) -> str:
    """Return a side's ref with its commit, once."""
    short = side.commit[:DIGITS]
    return short if side.commit.startswith(side.ref) and short else f"{side.ref} {short}".strip()
