"""Instructions of micro-benchmarks, counted by valgrind's callgrind: a second opinion without a clock."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from loadstone.errors import MeasurementError
from loadstone.lanes.micro import LONGEST_S, TAIL, MicroSide, fill

ORDER = (0, 1, 1, 0)
"""Sides in the order in which they are counted: each twice, so that its spread is known."""
PLUGIN = "loadstone_counting"
CALLGRIND = (
    "--tool=callgrind",
    "--instr-atstart=no",
    "--collect-atstart=no",
    "--callgrind-out-file={out}",
    "--quiet",
)
_NUMBER = re.compile(r"^desc: Trigger: Client Request: loadstone (\d+)$", re.MULTILINE)
_TOTALS = re.compile(r"^totals: (\d+)$", re.MULTILINE)


@dataclass(slots=True)
class Counts:
    """Instructions per call, by benchmark: of each side, once for each time that it was counted."""

    calls: dict[str, tuple[list[float], list[float]]] = field(default_factory=dict)

    def add(self, side: int, counted: Mapping[str, float]) -> None:
        """Take what one process counted."""
        for name, instructions in counted.items():
            self.calls.setdefault(name, ([], []))[side].append(instructions)


def why_not() -> str:
    """Return why instructions cannot be counted here, and what to do; empty where they can."""
    if platform.machine() not in {"x86_64", "AMD64"}:
        return f"instructions are counted on x86-64 alone, and this is {platform.machine()}"
    if shutil.which("valgrind") is None:
        return "valgrind is not installed: apt-get install valgrind (or dnf, brew), and repeat"
    return ""


def count(
    sides: tuple[MicroSide, MicroSide],
    command: Sequence[str],
    benchmarks: Path,
    env: Mapping[str, str],
    folder: Path,
    say: Callable[[str], None],
) -> Counts:
    """Count the benchmarks of both sides, each twice.

    Args:
        sides: what is compared.
        command: runs the benchmarks; `{python}`, `{benchmarks}` and `{root}` are filled in.
        benchmarks: of the project as it stands, for both sides.
        env: of the benchmarks.
        folder: of the run; a folder `counting` in it holds what callgrind wrote.
        say: told of each step.

    Raises:
        MeasurementError: the benchmarks cannot be counted; its cause is the tail of what they wrote.
    """
    place = folder / "counting"
    place.mkdir()
    plugin = resources.files("loadstone").joinpath("micro_counting.py").read_text(encoding="utf-8")
    (place / f"{PLUGIN}.py").write_text(plugin, encoding="utf-8")
    counts = Counts()
    for turn, side in enumerate(ORDER):
        say(f"counting instructions, {turn + 1} of {len(ORDER)}: {sides[side].label}")
        counts.add(
            side, _run(sides[side], command, benchmarks, env, place / f"{turn + 1}-{sides[side].name}")
        )
    return counts


def _run(
    side: MicroSide, command: Sequence[str], benchmarks: Path, env: Mapping[str, str], out: Path
) -> dict[str, float]:
    values = {"python": str(side.python), "root": str(side.root), "benchmarks": str(benchmarks)}
    words = ["valgrind", *(word.replace("{out}", str(out.resolve())) for word in CALLGRIND)]
    words += [fill(word, values) for word in command]
    own = {name: fill(value, values) for name, value in env.items()}
    listed = out.with_suffix(".json").resolve()
    paths = [str(out.parent.resolve()), own.get("PYTHONPATH") or os.environ.get("PYTHONPATH", "")]
    counted = {"PYTHONHASHSEED": "0", "LOADSTONE_COUNTS": str(listed)}
    counted["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    remedy = "correct micro.count_command, or leave out --instructions"
    try:
        done = subprocess.run(
            words,
            cwd=side.root,
            env={**os.environ, **own, **counted},
            capture_output=True,
            text=True,
            timeout=LONGEST_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MeasurementError(
            f"instructions of {side.label} cannot be counted", cause=str(error), remedy=remedy
        ) from error
    if done.returncode != 0 or not listed.is_file():
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-TAIL:])
        raise MeasurementError(
            f"instructions of {side.label} could not be counted", cause=tail, remedy=remedy
        )
    return read_counts(out, json.loads(listed.read_bytes()))


def read_counts(out: Path, listed: Sequence[Mapping[str, object]]) -> dict[str, float]:
    """Return instructions per call by benchmark.

    Args:
        out: the file that callgrind was told to write; its dumps are `out.1`, `out.2`, ….
        listed: benchmarks as the plugin lists them; a dump names its place in the list.
    """
    found = {}
    for path in out.parent.glob(f"{out.name}.*"):
        text = path.read_text(errors="replace") if path.suffix != ".json" else ""
        number, totals = _NUMBER.search(text), _TOTALS.search(text)
        if number is not None and totals is not None:
            one = listed[int(number[1])]
            found[str(one["name"]).rpartition("/")[2]] = int(totals[1]) / int(str(one["calls"]))
    return found
