"""Renderers of a load run: terminal and Markdown."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from loadstone.record.load_result import LoadResult
from loadstone.report import load_summary as summary


def render(result: LoadResult, console: Console) -> None:
    """Print a load run."""
    style = {"KEPT": "green", "DONE": "green"}.get(summary.headline(result).split(" ", 1)[0], "red")
    console.print(Text(summary.headline(result), style=f"bold {style}"))
    for line in (summary.model_line(result), summary.outcome_line(result)):
        if line:
            console.print(Text(line))
    table = Table(box=None, pad_edge=False)
    for index, name in enumerate(summary.COLUMNS):
        table.add_column(name, justify="right" if index else "left")
    for row in summary.rows(result):
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)
    for lines in _lists(result):
        for line in lines:
            console.print(Text(line))


def markdown(result: LoadResult) -> str:
    """Return a load run as Markdown."""
    parts = [f"# {summary.headline(result)}", summary.model_line(result), summary.outcome_line(result)]
    head = f"| {' | '.join(summary.COLUMNS)} |\n|{'---|' * len(summary.COLUMNS)}"
    body = "\n".join(f"| {' | '.join(_escaped(cell) for cell in row)} |" for row in summary.rows(result))
    parts.append(f"{head}\n{body}")
    parts += ["\n".join(f"- {_escaped(line)}" for line in lines) for lines in _lists(result)]
    parts.append(f"`{result.plan.command}`, seed {result.plan.seed}, {result.machine.cpu_model}")
    return "\n\n".join(part for part in parts if part) + "\n"


def _lists(result: LoadResult) -> tuple[list[str], ...]:
    return (
        summary.time_lines(result),
        summary.worker_lines(result),
        summary.threshold_lines(result),
        summary.check_lines(result.checks),
    )


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
