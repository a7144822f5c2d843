"""The fault table: every cell was run and seen as expected, and a few are run again here."""

import os
import shutil

import pytest
from fault_cells import LANES, OUTCOMES, latest_rows, read_cells
from fault_run import run_cell

CELLS = read_cells()
SHORTFALLS: dict[tuple[str, str], str] = {}
"""Cells that are not as expected, by fault and lane, and why."""
SHORT = [
    ("gunicorn-kill", "load"),
    ("redis-memory", "load"),
    ("postgres-kill", "probe"),
    ("server-term", "pair"),
]
on_a_disk = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mount"), reason="only root can mount")


def cell_of(fault, lane):
    return next(cell for cell in CELLS if (cell.fault, cell.lane) == (fault, lane))


def test_the_table_speaks_of_known_lanes_and_outcomes():
    assert {cell.outcome for cell in CELLS} <= set(OUTCOMES)
    assert {cell.lane for cell in CELLS} == set(LANES)


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell.fault} {cell.lane}")
def test_every_cell_was_run_and_seen_as_expected(cell):
    row = latest_rows()[cell.fault, cell.lane]
    assert row.expected == cell.expected, "the table was changed after it was run"
    assert row.agrees is ((cell.fault, cell.lane) not in SHORTFALLS)


@pytest.mark.parametrize(("fault", "lane"), SHORT)
def test_a_fault_in_a_real_run_ends_as_expected(fault, lane):
    row = run_cell(cell_of(fault, lane), "test")
    assert row.agrees, row


@on_a_disk
def test_a_full_disk_makes_the_run_invalid():
    row = run_cell(cell_of("disk-full", "load"), "test")
    assert row.agrees, row
