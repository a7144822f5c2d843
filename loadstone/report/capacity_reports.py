"""Renderers of a search for capacity: terminal and Markdown."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from loadstone.record.capacity_result import CapacityResult
from loadstone.report import capacity_summary as summary
from loadstone.report import safe
from loadstone.report.load_summary import check_lines
from loadstone.report.plain import bullets, escaped, table, together
from loadstone.verdict.capacity_words import rate

STYLES = {"FOUND": "green", "INTERRUPTED": "yellow", "UNKNOWN": "yellow"}
TRIALS = {"kept": "green", "broken": "red", "invalid": "yellow"}


def render(result: CapacityResult, console: Console) -> None:
    """Print a search."""
    word = summary.word(result)
    console.print(Text(f"{word}  {safe.name(result.headline, 400)}", style=f"bold {STYLES.get(word, 'red')}"))
    console.print(Text(summary.intro(result)))
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for index, name in enumerate(summary.COLUMNS):
        grid.add_column(name, justify="right" if index in {1, 2, 3, 4, 5} else "left")
    for row in summary.rows(result):
        grid.add_row(*(Text(safe.name(cell, 200)) for cell in row))
    console.print(grid)
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
    grid = Table(box=None, pad_edge=False, show_header=False, padding=(0, 1, 0, 0))
    grid.add_column(justify="right")
    grid.add_column(width=summary.BAR)
    grid.add_column(justify="right")
    grid.add_column()
    for row in picture.rows:
        style = TRIALS[row.worst]
        grid.add_row(
            Text(f"{rate(row.rate_rps)}/s"),
            Text(summary.bar(row, picture), style=style),
            Text(summary.latency(row, picture)),
            Text(row.trials, style="dim"),
        )
    console.print(grid)


def markdown(result: CapacityResult) -> str:
    """Return a search as Markdown."""
    parts = [f"# {summary.word(result)}  {escaped(result.headline)}", escaped(summary.intro(result))]
    parts.append(table(summary.COLUMNS, summary.rows(result)))
    lists = [summary.note_lines(result), summary.gain_lines(result)]
    lists += [summary.law_lines(law) for law in result.scalability]
    parts += [bullets(lines) for lines in lists]
    for picture in summary.pictures(result):
        head = (f"rate, {picture.title.rpartition(': ')[0]}", picture.title.rpartition(": ")[2], "windows")
        body = [
            (f"{rate(row.rate_rps)}/s", summary.latency(row, picture), row.trials) for row in picture.rows
        ]
        parts.append(table(head, body))
    parts.append(bullets(check_lines(result.checks)))
    parts.append(f"`{result.plan.command}`, seed {result.plan.seed}, {result.machine.cpu_model}")
    return together(parts)
