"""The files that a load run shows to people."""

from __future__ import annotations

from pathlib import Path

from loadstone.record.folder import MARKDOWN, PAGE, write_atomically
from loadstone.record.load_result import LoadResult
from loadstone.report import load_page, load_reports


def write_load_reports(folder: Path, result: LoadResult) -> list[Path]:
    """Write `report.html` and `report.md` into a run's folder and return their paths."""
    pages = {PAGE: load_page.render(result), MARKDOWN: load_reports.markdown(result)}
    for name, text in pages.items():
        write_atomically(folder / name, text.encode())
    return [folder / name for name in pages]
