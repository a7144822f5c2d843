"""The files that a search for capacity shows to people."""

from __future__ import annotations

from pathlib import Path

from loadstone.record.capacity_result import CapacityResult
from loadstone.record.folder import MARKDOWN, PAGE, write_atomically
from loadstone.report import capacity_page, capacity_reports


def write_capacity_reports(folder: Path, result: CapacityResult) -> list[Path]:
    """Write `report.html` and `report.md` into a run's folder and return their paths."""
    pages = {PAGE: capacity_page.render(result), MARKDOWN: capacity_reports.markdown(result)}
    for name, text in pages.items():
        write_atomically(folder / name, text.encode())
    return [folder / name for name in pages]
