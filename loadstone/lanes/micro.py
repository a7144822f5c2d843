"""Micro-benchmarks of two commits, interleaved in generations: fresh processes, counterbalanced order."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from loadstone.errors import ConfigurationError, MeasurementError
from loadstone.record.micro import read_benchmarks
from loadstone.stats.order import start_plan
from loadstone.stats.special import FloatArray
from loadstone.stats.streams import stream_seed

TAIL = 15
LONGEST_S = 600.0
LEAST, MOST = 6, 40
"""Generations: fewer tell nothing (df = G - 2 behind multiplicity), more are better spent on rounds."""


@dataclass(frozen=True, slots=True)
class MicroSide:
    """One commit, where its files are, and the Python that runs them."""

    name: str
    label: str
    root: Path
    python: Path


@dataclass(frozen=True, slots=True)
class MicroPlan:
    """How the benchmarks are run."""

    command: Sequence[str]
    benchmarks: Path
    """Of the project as it stands, for both sides."""
    env: Mapping[str, str]
    generations: int
    seed: int


@dataclass(slots=True)
class MicroTables:
    """What was measured."""

    positions: NDArray[np.int64]
    """Start positions [generation, side]."""
    levels: dict[str, FloatArray] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    files: tuple[list[Path], list[Path]] = field(default_factory=lambda: ([], []))
    """The JSON of each generation, by side."""

    def add(self, generation: int, side: int, path: Path) -> None:
        """Take the medians of a file; raises `MeasurementError` for what is none."""
        count = self.positions.shape[0]
        for name, one in read_benchmarks(path).items():
            table = self.levels.setdefault(name, np.full((count, 2), np.nan))
            table[generation, side] = float(one["stats"]["median"])
            self.groups[name] = str(one.get("group") or "")
        self.files[side].append(path)


def run_micro(
    sides: tuple[MicroSide, MicroSide], plan: MicroPlan, folder: Path, say: Callable[[str], None]
) -> MicroTables:
    """Run the benchmarks of both sides in every generation and return what was measured.

    Raises:
        ConfigurationError: so few or so many generations tell nothing.
        MeasurementError: the benchmarks of a side fail; its cause is the tail of what they wrote.
    """
    if not LEAST <= plan.generations <= MOST or plan.generations % 2:
        raise ConfigurationError(
            f"{plan.generations} generations cannot be had",
            remedy=f"choose an even number between {LEAST} and {MOST}",
        )
    order = start_plan(plan.generations, 2, plan.seed, "micro")
    tables = MicroTables(order.positions)
    for generation in range(plan.generations):
        for side in (int(one) for one in order.positions[generation].argsort()):
            say(f"generation {generation + 1} of {plan.generations}: {sides[side].label}")
            path = folder / f"{sides[side].name}-{generation + 1:02}.json"
            _run(sides[side], plan, path, stream_seed(plan.seed, "micro hash seed", generation) % 2**32)
            tables.add(generation, side, path)
    return tables


def read_folders(base: Path, head: Path) -> MicroTables:
    """Return what two folders of pytest-benchmark files hold, paired in the order of their names.

    Raises:
        ConfigurationError: they hold not as many, or too few.
    """
    found = [sorted(folder.glob("*.json")) for folder in (base, head)]
    if len(found[0]) != len(found[1]) or len(found[0]) < LEAST:
        raise ConfigurationError(
            f"{len(found[0])} and {len(found[1])} files cannot be compared",
            cause=f"each pair of files is a generation, and it takes {LEAST}",
            remedy="run the benchmarks of both sides in turn, with --benchmark-json",
        )
    # who ran first is not known: as if in turn
    positions = np.array([[index % 2, 1 - index % 2] for index in range(len(found[0]))], dtype=np.int64)
    tables = MicroTables(positions)
    for generation, pair in enumerate(zip(*found, strict=True)):
        for side, path in enumerate(pair):
            tables.add(generation, side, path)
    return tables


def _run(side: MicroSide, plan: MicroPlan, path: Path, hash_seed: int) -> None:
    values = {
        "python": str(side.python),
        "root": str(side.root),
        "benchmarks": str(plan.benchmarks),
        "json": str(path.resolve()),
    }

    words = [fill(word, values) for word in plan.command]
    own = {name: fill(value, values) for name, value in plan.env.items()}
    env = {**os.environ, "PYTHONHASHSEED": str(hash_seed), **own}
    try:
        done = subprocess.run(
            words, cwd=side.root, env=env, capture_output=True, text=True, timeout=LONGEST_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MeasurementError(
            f"the benchmarks of {side.label} cannot be run", cause=str(error), remedy="correct micro.command"
        ) from error
    if done.returncode != 0 or not path.is_file():
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-TAIL:])
        raise MeasurementError(
            f"the benchmarks of {side.label} failed",
            cause=tail,
            remedy=f"run them by hand in {side.root}: {' '.join(words)}",
        )


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return a text with its placeholders, such as `{python}`, filled in."""
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def this_python() -> Path:
    """Return the Python that runs Loadstone."""
    return Path(sys.executable)
