"""Renderers of a search for capacity: terminal and Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from loadstone.record.capacity_result import CapacityResult
from loadstone.report import capacity_summary as summary
from loadstone.report import safe
from loadstone.report.load_summary import check_lines
from loadstone.verdict.capacity_words import rate

STYLES = {"FOUND": "green", "INTERRUPTED": "yellow", "UNKNOWN": "yellow"}
TRIALS = {"kept": "green", "broken": "red", "invalid": "yellow"}


def render(result: CapacityResult, console: Console) -> None:
    """Print a search."""
    word = summary.word(result)
    console.print(Text(f"{word}  {safe.name(result.headline, 400)}", style=f"bold {STYLES.get(word, 'red')}"))
    console.print(Text(summary.intro(result)))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for index, name in enumerate(summary.COLUMNS):
        table.add_column(name, justify="right" if index in {1, 2, 3, 4, 5} else "left")
    for row in summary.rows(result):
        table.add_row(*(Text(safe.name(cell, 200)) for cell in row))
    console.print(table)
    for line in (*summary.note_lines(result), *summary.gain_lines(result)):
        console.print(Text(safe.name(line, 400)))
    for law in result.scalability:
        for line in summary.law_lines(law):
            console.print(Text(safe.name(line, 400)))
    for picture in summary.pictures(result):
        _draw(picture, console)
    for line in check_lines(result.checks):
        console.print(Text(safe.name(line, 400)))


def _draw(picture: summary.Picture, console: Console) -> None:
    limit = " (│ is the limit)" if picture.limit_us else ""
    console.print(Text(f"\n{safe.name(picture.title, 200)}{limit}"))
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 1, 0, 0))
    table.add_column(justify="right")
    table.add_column(width=summary.BAR)
    table.add_column(justify="right")
    table.add_column()
    for row in picture.rows:
        style = TRIALS[row.worst]
        table.add_row(
            Text(f"{rate(row.rate_rps)}/s"),
            Text(summary.bar(row, picture), style=style),
            Text(summary.latency(row, picture)),
            Text(row.trials, style="dim"),
        )
    console.print(table)


def markdown(result: CapacityResult) -> str:
    """Return a search as Markdown."""
    parts = [f"# {summary.word(result)}  {_escaped(result.headline)}", _escaped(summary.intro(result))]
    parts.append(_table(summary.COLUMNS, summary.rows(result)))
    lists = [summary.note_lines(result), summary.gain_lines(result)]
    lists += [summary.law_lines(law) for law in result.scalability]
    parts += ["\n".join(f"- {_escaped(line)}" for line in lines) for lines in lists if lines]
    for picture in summary.pictures(result):
        head = (f"rate, {picture.title.rpartition(': ')[0]}", picture.title.rpartition(": ")[2], "windows")
        body = [
            (f"{rate(row.rate_rps)}/s", summary.latency(row, picture), row.trials) for row in picture.rows
        ]
        parts.append(_table(head, body))
    parts.append("\n".join(f"- {_escaped(line)}" for line in check_lines(result.checks)))
    parts.append(f"`{result.plan.command}`, seed {result.plan.seed}, {result.machine.cpu_model}")
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(head: tuple[str, ...], body: Sequence[tuple[str, ...]]) -> str:
    rows = "\n".join(f"| {' | '.join(_escaped(cell) for cell in row)} |" for row in body)
    return f"| {' | '.join(_escaped(name) for name in head)} |\n|{'---|' * len(head)}\n{rows}"


def _escaped(text: str) -> str:
    return safe.visible(text).replace("|", "\\|").replace("<", "&lt;")
