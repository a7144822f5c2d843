"""The table's cells: what is expected (expected.toml) and what was seen (seen.jsonl)."""

import json
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path

HERE = Path(__file__).parent
EXPECTED, SEEN = HERE / "expected.toml", HERE / "seen.jsonl"
LANES = ("probe", "pair", "load", "capacity", "load-compare")
OUTCOMES = ("invalid", "resumed", "partial", "lost", "refused", "correct", "worse")


@dataclass(frozen=True)
class Cell:
    """One fault in one lane, and what a right tool does."""

    fault: str
    lane: str
    outcome: str
    says: str
    """A regular expression that its output must match; empty: none."""

    @property
    def expected(self) -> str:
        """Return the outcome as the table has it."""
        return f"{self.outcome}: {self.says}" if self.says else self.outcome


@dataclass(frozen=True, kw_only=True)
class Row:
    """What was seen of a cell, once."""

    fault: str
    lane: str
    expected: str
    seen: str
    agrees: bool
    left: list[str]
    """What the run left behind."""
    seconds: float
    version: str
    at: str


def read_cells() -> list[Cell]:
    """Return the cells of the table, fault by fault."""
    cells = []
    for fault, lanes in tomllib.loads(EXPECTED.read_text()).items():
        for lane in LANES:
            if lane in lanes:
                outcome, _, says = lanes[lane].partition(": ")
                cells.append(Cell(fault, lane, outcome, says))
    return cells


def read_rows() -> list[Row]:
    """Return what was seen, the oldest first."""
    if not SEEN.exists():
        return []
    return [Row(**json.loads(line)) for line in SEEN.read_text().splitlines()]


def latest_rows() -> dict[tuple[str, str], Row]:
    """Return what was seen last of each cell, by fault and lane."""
    return {(row.fault, row.lane): row for row in read_rows()}


def append_row(row: Row) -> None:
    """Keep what was seen."""
    with SEEN.open("a") as file:
        file.write(json.dumps(asdict(row)) + "\n")
