"""The files that a run shows to people: one HTML page, one Markdown summary."""

from __future__ import annotations

from pathlib import Path

from loadstone.record.folder import MARKDOWN, PAGE, write_atomically
from loadstone.record.result import Result
from loadstone.report import html, markdown


def write_reports(folder: Path, result: Result) -> list[Path]:
    """Write `report.html` and `report.md` into a run's folder and return their paths."""
    pages = {PAGE: html.render(result), MARKDOWN: markdown.render(result)}
    for name, text in pages.items():
        write_atomically(folder / name, text.encode())
    return [folder / name for name in pages]
