"""Renderers of a load run: terminal and Markdown."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from loadstone.record.load_result import LoadResult
from loadstone.report import load_summary as summary
from loadstone.report import safe
from loadstone.report.plain import bullets, escaped, table, together


def render(result: LoadResult, console: Console) -> None:
    """Print a load run."""
    style = {"KEPT": "green", "DONE": "green"}.get(summary.headline(result).split(" ", 1)[0], "red")
    console.print(Text(safe.name(summary.headline(result), 400), style=f"bold {style}"))
    for line in (summary.model_line(result), summary.outcome_line(result)):
        if line:
            console.print(Text(line))
    grid = Table(box=None, pad_edge=False)
    for index, name in enumerate(summary.COLUMNS):
        grid.add_column(name, justify="right" if index else "left")
    for row in summary.rows(result):
        grid.add_row(*(Text(safe.name(cell, 200)) for cell in row))
    console.print(grid)
    for lines in _lists(result):
        for line in lines:
            console.print(Text(safe.name(line, 400)))


def markdown(result: LoadResult) -> str:
    """Return a load run as Markdown."""
    told = (summary.headline(result), summary.model_line(result), summary.outcome_line(result))
    headline, *lines = (escaped(line) for line in told)
    parts = [f"# {headline}", *lines, table(summary.COLUMNS, summary.rows(result))]
    parts += [bullets(lines) for lines in _lists(result)]
    parts.append(f"`{result.plan.command}`, seed {result.plan.seed}, {result.machine.cpu_model}")
    return together(parts)


def _lists(result: LoadResult) -> tuple[list[str], ...]:
    return (
        summary.time_lines(result),
        summary.worker_lines(result),
        summary.threshold_lines(result),
        summary.check_lines(result.checks),
    )
