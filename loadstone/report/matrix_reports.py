"""Renderers of a matrix: terminal and Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from loadstone.record.matrix_result import MatrixResult
from loadstone.report import matrix_summary as summary
from loadstone.report import safe
from loadstone.report.load_summary import check_lines
from loadstone.report.markdown import escape, fenced

WIDEST = 28
"""Of the first and the last column, in which words stay whole up to here."""


def render(result: MatrixResult, console: Console, *, report: str = "") -> None:
    """Print a matrix; `report` is the path of its page."""
    style = "green" if summary.word(result) == "MEASURED" else "red"
    console.print(
        Text(f"{summary.word(result)}  {safe.name(summary.headline(result), 300)}", style=f"bold {style}")
    )
    console.print(Text(safe.name(summary.design_line(result), 300)))
    for line in summary.steps(result):
        console.print(Text(f"  {safe.name(line, 200)}"))
    if summary.best_line(result):
        console.print(Text(safe.name(summary.best_line(result), 300)))
    for metric, label in summary.LABELS.items():
        rows = [summary.effect_row(one) for one in result.effects if one.metric == metric]
        _table(console, label, summary.EFFECT_COLUMNS, rows)
    _table(console, "Combinations", summary.CELL_COLUMNS, _cells(result))
    console.print()
    for line in check_lines(result.checks):
        console.print(Text(safe.name(line, 400)))
    if report:
        console.print(Text(f"report  {report}"), soft_wrap=True)


def markdown(result: MatrixResult) -> str:
    """Return a matrix as Markdown."""
    parts = [
        f"### {summary.word(result).capitalize()}: {escape(result.plan.title)}",
        escape(summary.headline(result), 400),
        escape(summary.design_line(result), 400),
        "\n".join(escape(line, 200).replace("\\.", ".") for line in summary.steps(result)),
        escape(summary.best_line(result), 400),
    ]
    for metric, label in summary.LABELS.items():
        rows = [summary.effect_row(one) for one in result.effects if one.metric == metric]
        if rows:
            parts.append(f"**{label}**\n\n{_rows(summary.EFFECT_COLUMNS, rows)}")
    parts.append(f"**Combinations**\n\n{_rows(summary.CELL_COLUMNS, _cells(result))}")
    parts.append("\n".join(f"- {escape(line, 400)}" for line in summary.reading(result)))
    parts.append("\n".join(f"- {escape(line, 400)}" for line in check_lines(result.checks)))
    parts.append(fenced(result.plan.command, "sh"))
    return "\n\n".join(part for part in parts if part) + "\n"


def _cells(result: MatrixResult) -> list[tuple[str, ...]]:
    """Return the combinations, from the slowest to the fastest."""
    ordered = sorted(result.cells, key=lambda one: one.latency_us, reverse=True)
    return [summary.cell_row(result, one) for one in ordered]


def _table(console: Console, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if not rows:
        return
    console.print()
    console.print(Text(title, style="bold"))
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for place, column in enumerate(columns):
        ends = place in {0, len(columns) - 1}
        words = (
            [column, *(word for row in rows for word in safe.name(row[place], 80).split())] if ends else []
        )
        widest = max(map(len, words), default=0)
        table.add_column(column, overflow="fold", min_width=min(widest, WIDEST))
    for row in rows:
        table.add_row(*(Text(safe.name(cell, 80)) for cell in row))
    console.print(table)


def _rows(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}"
    return "\n".join([head, *(f"| {' | '.join(escape(cell) for cell in row)} |" for row in rows)])
