"""The fault table: what was seen is as expected, and a few cells are run again here."""

import os
import shutil

import pytest
from fault_cells import LANES, OUTCOMES, latest_rows, read_cells
from fault_clock import library
from fault_run import run_cell

CELLS = read_cells()
SHORTFALLS: dict[tuple[str, str], str] = {
    ("hog", "pair"): "not noticed: what other programs use of the CPU is not looked at",
    ("autovacuum-storm", "pair"): "inconclusive: a storm in one database drowns what the variants differ by",
    (
        "autovacuum-storm",
        "capacity",
    ): "a storm without an end takes a core: the rate found is that of its presence",
    (
        "autovacuum-storm",
        "load-compare",
    ): "one side's database alone is stormed, which is told as that side's",
    ("generator-starved", "capacity"): "windows before it were valid: 'at least' the rate that they carry",
    ("postgres-full", "load-compare"): "two of eight generations answered well: why is not known",
}
"""Cells that are not as expected, by fault and lane, and why."""
SHORT = [("gunicorn-kill", "load")]
"""By fault and lane: what hits the one request that waits for it, and not the luck of timing."""
on_a_disk = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mount"), reason="only root can mount")


def cell_of(fault, lane):
    return next(cell for cell in CELLS if (cell.fault, cell.lane) == (fault, lane))


def test_the_table_speaks_of_known_lanes_and_outcomes():
    assert {cell.outcome for cell in CELLS} <= set(OUTCOMES)
    assert {cell.lane for cell in CELLS} == set(LANES)


def test_what_was_seen_last_of_each_cell_is_as_expected_or_told_as_a_shortfall():
    rows = latest_rows()
    assert {place: row.expected for place, row in rows.items()} == {
        place: cell_of(*place).expected for place in rows
    }, "the table was changed after it was run"
    assert {place for place, row in rows.items() if not row.agrees} == set(SHORTFALLS)


@pytest.mark.parametrize(("fault", "lane"), SHORT)
def test_a_fault_in_a_real_run_ends_as_expected(fault, lane):
    row = run_cell(cell_of(fault, lane), "test")
    assert row.agrees, row


@pytest.mark.skipif(library() is None, reason="there is no libfaketime")
def test_a_wall_clock_that_is_stepped_changes_nothing():
    row = run_cell(cell_of("clock-step", "probe"), "test")
    assert row.agrees, row


@on_a_disk
def test_a_full_disk_makes_the_run_invalid():
    row = run_cell(cell_of("disk-full", "load"), "test")
    assert row.agrees, row
