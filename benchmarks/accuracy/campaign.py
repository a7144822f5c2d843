"""Runs without end: which cell is next, whether there is time for it, what to do when runs fail."""

from __future__ import annotations

import argparse
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from types import FrameType
from typing import Any

from progress import say

from loadstone.config.units import parse_duration
from loadstone.errors import ExitCode

Row = dict[str, Any]
MOST_FAILURES = 3
"""Runs in a row without any result, after which something is wrong that patience does not mend."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much to run: so many runs a cell, or as many in all as fit into a time."""

    runs: int
    for_s: float | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """Something to run again and again."""

    name: str
    run: Callable[[], Row]
    """Runs once, keeps the row, and returns it."""
    stored: Sequence[Row]
    """Earlier rows of the same kind, of whatever settings."""
    guess_s: float
    """Seconds that a run takes, where none is stored."""

    def expected_s(self, fresh: Sequence[Row] = ()) -> float:
        """Return how long a run is likely to take, a little on the safe side; `fresh` are today's."""
        times = [row["duration_s"] for row in (*self.stored, *fresh) if row.get("duration_s")]
        return max(median(times) * 1.1 + 3.0, 1.0) if times else self.guess_s


def conduct(
    cells: Sequence[Cell], limits: Limits, *, clock: Callable[[], float] = time.monotonic
) -> list[tuple[Cell, Row]]:
    """Run until the limits are reached; a run that would not end in time is not begun.

    With a time limit the cell with the fewest runs under today's settings is next, so
    that campaigns of any length add up to equal numbers; those settings are known
    after the first run. A run that fails counts as a run.

    Raises:
        KeyboardInterrupt: by Ctrl-C or SIGTERM; the run that went on has been ended and is not kept.
    """
    begin, done = clock(), list[tuple[Cell, Row]]()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        _conduct(cells, limits, done, lambda: clock() - begin)
    except KeyboardInterrupt:
        _say("interrupted", limits, clock() - begin)
        raise
    return done


def _conduct(
    cells: Sequence[Cell], limits: Limits, done: list[tuple[Cell, Row]], spent_s: Callable[[], float]
) -> None:
    failures = 0
    while True:
        cell = _next(cells, limits, done)
        if cell is None:
            return
        expected_s = cell.expected_s([row for one, row in done if one is cell])
        if limits.for_s is not None and spent_s() + expected_s > limits.for_s:
            return
        _say(f"{cell.name}: run {1 + sum(one is cell for one, _ in done)}", limits, spent_s())
        row = cell.run()
        done.append((cell, row))
        failures = failures + 1 if row["verdict"] == "none" else 0
        if failures >= MOST_FAILURES or row["exit_code"] == ExitCode.USAGE:
            _say(f"given up: {row['failed']}", limits, spent_s())
            return


def exit_code(cells: Sequence[Cell], limits: Limits) -> int:
    """Run until the limits are reached; return 0, or 130 when interrupted."""
    try:
        conduct(cells, limits)
    except KeyboardInterrupt:
        return int(ExitCode.INTERRUPTED)
    return int(ExitCode.OK)


def planned(cells: Sequence[Cell], limits: Limits) -> tuple[int, float]:
    """Return how many runs are likely, and how many seconds they take."""
    if limits.for_s is None:
        return limits.runs * len(cells), limits.runs * sum(cell.expected_s() for cell in cells)
    mean = sum(cell.expected_s() for cell in cells) / len(cells)
    return int(limits.for_s / mean), limits.for_s


def _next(cells: Sequence[Cell], limits: Limits, done: list[tuple[Cell, Row]]) -> Cell | None:
    made = {id(cell): sum(one is cell for one, _ in done) for cell in cells}
    if limits.for_s is None:
        left = [cell for cell in cells if made[id(cell)] < limits.runs]
        return min(left, key=lambda cell: made[id(cell)], default=None)
    settings = {row["settings"] for _, row in done if row["verdict"] != "none"}

    def place(cell: Cell) -> tuple[int, int]:
        """Fewest runs first; of equals, the one whose last turn is longest ago."""
        runs = made[id(cell)] + sum(not settings or row.get("settings") in settings for row in cell.stored)
        return runs, max((turn for turn, (one, _) in enumerate(done) if one is cell), default=-1)

    return min(cells, key=place, default=None)


def _interrupt(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt


def _say(text: str, limits: Limits, spent_s: float) -> None:
    left = "" if limits.for_s is None else f" ({max(limits.for_s - spent_s, 0.0) / 60.0:.0f} min left)"
    say(f"{text}{left}")


def parser(doc: str) -> argparse.ArgumentParser:
    """Return a parser with the options that all campaigns share; the examples in `doc` end its help."""
    about, _, examples = doc.partition("\n\nExamples:")
    found = argparse.ArgumentParser(
        description=about, epilog="Examples:" + examples, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    found.add_argument("--runs", type=int, default=1, help="new runs of each cell (%(default)s)")
    found.add_argument("--for", dest="for_", metavar="TIME", help="instead: as many as fit, such as 45m")
    found.add_argument("--budget", help="of each run, such as 3m; else the shipped default")
    found.add_argument("--margin", help="smallest change that matters, such as 1%%; else the shipped default")
    found.add_argument("--seed", type=int, help="of the first run, then one more each; else new ones")
    found.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the runs' own folders here")
    found.add_argument("--settings", metavar="DIGEST", help="show these settings; else those used last")
    found.add_argument("--dry-run", action="store_true", help="say what would run and for how long; print")
    return found


def limits(options: argparse.Namespace) -> Limits:
    """Return the limits that the command line sets; raises `ConfigurationError`."""
    return Limits(options.runs, parse_duration(options.for_) if options.for_ else None)


def words(options: argparse.Namespace) -> tuple[str, ...]:
    """Return what is passed on to `loadstone compare`: nothing is the shipped defaults."""
    found: list[str] = []
    for name in ("budget", "margin"):
        if getattr(options, name):
            found += [f"--{name}", getattr(options, name)]
    return tuple(found)


def same_words(row: Row, options: argparse.Namespace) -> bool:
    """Say whether a stored row was run with the same words."""
    return tuple(row.get("words", ())) == words(options)


def choose_settings(rows: Sequence[Row], wished: str | None) -> tuple[str, list[Row], dict[str, int]]:
    """Return the settings to show (those used last), their rows, and how many rows there are of others.

    A run that failed before it had a plan belongs to the settings of its words. Rows
    from before settings were kept belong to none.
    """
    planned = [row for row in rows if row.get("settings")]
    chosen = wished or (planned[-1]["settings"] if planned else "")
    words = [row["words"] for row in planned if row["settings"] == chosen]
    shown = [
        row
        for row in rows
        if (row.get("settings") and row["settings"] == chosen)
        or (row["verdict"] == "none" and not row["settings"] and row["words"] in words)
    ]
    others = Counter(row.get("settings") or _unplanned(row) for row in rows if row not in shown)
    return chosen, shown, dict(others)


def _unplanned(row: Row) -> str:
    return "unknown (failed before there was a plan)" if row["verdict"] == "none" else "unknown"
