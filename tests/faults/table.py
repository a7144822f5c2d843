"""The fault table: injects every fault in every lane into a real run, and prints what was expected and seen.

.venv/bin/python tests/faults/table.py                      # the whole table, some ten minutes
.venv/bin/python tests/faults/table.py --lane pair --fault server-kill
.venv/bin/python tests/faults/table.py --shown              # what was seen last, without running
"""

import argparse
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from fault_cells import LANES, Cell, Row, append_row, latest_rows, read_cells
from fault_clock import library
from fault_run import run_cell


def main() -> int:
    """Run the cells that are asked for, keep what was seen, and return 1 where a cell is not as expected."""
    asked = _parse()
    cells = [
        cell
        for cell in read_cells()
        if (not asked.lane or cell.lane in asked.lane) and (not asked.fault or cell.fault in asked.fault)
    ]
    if not asked.shown and library() is None:
        cells = [cell for cell in cells if cell.fault != "clock-step"]
        print("clock-step is left out: there is no libfaketime")
    known = latest_rows()
    if asked.missing:
        cells = [cell for cell in cells if not _agreed(known.get((cell.fault, cell.lane)))]
    rows = [] if asked.shown else _run(cells, asked)
    if asked.shown:
        rows = [known[cell.fault, cell.lane] for cell in cells if (cell.fault, cell.lane) in known]
        for row in rows:
            _print(row)
    wrong = sum(not row.agrees for row in rows)
    ran = {(row.fault, row.lane) for row in rows}
    missing = [f"{cell.fault} in {cell.lane}" for cell in cells if (cell.fault, cell.lane) not in ran]
    print(f"{len(rows)} of {len(cells)} cells, {wrong} not as expected")
    if missing:
        print(f"not run: {', '.join(missing)}")
    return 1 if wrong else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--lane", action="append", choices=LANES)
    parser.add_argument("--fault", action="append", choices=sorted({each.fault for each in read_cells()}))
    parser.add_argument("--jobs", type=int, default=2, help="cells at once")
    parser.add_argument(
        "--missing", action="store_true", help="only cells that were not seen as expected yet"
    )
    parser.add_argument("--within", type=float, default=1e9, help="begin no cell after so many seconds")
    parser.add_argument("--outputs", type=Path, help="folder to keep what the runs said in")
    parser.add_argument("--shown", action="store_true", help="run nothing: print what was seen last")
    return parser.parse_args()


def _agreed(row: Row | None) -> bool:
    return row is not None and row.agrees


def _run(cells: list[Cell], asked: argparse.Namespace) -> list[Row]:
    version, begun = _version(), time.monotonic()

    def run(cell: Cell) -> Row | None:
        if time.monotonic() - begun > asked.within:
            return None
        row = run_cell(cell, version, asked.outputs)
        append_row(row)
        _print(row)
        return row

    with ThreadPoolExecutor(asked.jobs) as pool:
        return [row for row in pool.map(run, cells) if row is not None]


def _print(row: Row) -> None:
    mark = "✓" if row.agrees else "✗"
    left = f"; left: {', '.join(row.left)}" if row.left else ""
    print(f"{mark} {row.fault:<17} {row.lane:<12} {row.expected:<50.50} {row.seen}{left}", flush=True)


def _version() -> str:
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parent,
    )
    return told.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
