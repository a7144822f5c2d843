"""Is a run's result what its sealed data say? Everything is judged again and compared, field by field."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from loadstone.errors import ConfigurationError, LoadstoneError, MeasurementError
from loadstone.explain.content import parse_json
from loadstone.explain.json_diff import first_difference
from loadstone.record.folder import RESULT
from loadstone.record.journal import (
    JOURNAL,
    AnyLine,
    EndLine,
    GenerationLine,
    ProfileLine,
    read_chunk,
    read_journal,
    read_spikes,
    read_stacks,
)
from loadstone.record.result import SCHEMA_VERSION, Result, decode, encode
from loadstone.verdict.assemble import Circumstances, judge_run, read_sealed

AS_RECORDED = ("run.id", "run.started_at", "run.finished_at", "run.duration_s", "machine")
"""Circumstances that no sealed data determine: taken from the result as they stand."""
_ITEM = re.compile(r"(contrasts|checks|controls|generations|outcomes|distributions)\[(\d+)\]")
_NAMES = ("metric", "name", "variant", "endpoint")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was checked."""

    name: str
    ok: bool
    message: str


@dataclass(frozen=True, slots=True)
class Difference:
    """The first field in which the result is not what the sealed data say."""

    field: str
    recorded: str
    recomputed: str
    where: str = ""
    """What the field belongs to, in words."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What was checked of a run, and what came of it."""

    run: str
    steps: list[Step] = field(default_factory=list)
    difference: Difference | None = None
    taken_as_recorded: tuple[str, ...] = AS_RECORDED

    @property
    def same(self) -> bool:
        """Whether everything is as it was sealed, and the result follows from it."""
        return all(step.ok for step in self.steps)


def verify_run(folder: Path) -> Verification:
    """Judge a run again from its journal and chunks, and compare that with its result.

    Raises:
        ConfigurationError: the folder is no run, or a run that was killed before it had a result.
    """
    _require_run(folder)
    try:
        lines = read_journal(folder)
    except (OSError, LoadstoneError) as error:
        return Verification(folder.name, [Step("journal", ok=False, message=_told(error))])
    steps = [_journal(lines), _chunks(folder, lines)]
    if not steps[1].ok:
        return Verification(folder.name, steps)
    try:
        text = (folder / RESULT).read_bytes()
        recorded = decode(text)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        damaged = Step("result", ok=False, message=f"{RESULT} cannot be read: {error}")
        return Verification(folder.name, [*steps, damaged])
    try:
        recomputed = _judge_again(folder, recorded)
    except MeasurementError as error:
        return Verification(folder.name, [*steps, Step("result", ok=False, message=_told(error))])
    difference = _compare(text, recomputed)
    return Verification(folder.name, [*steps, _result(recomputed, difference)], difference)


def _require_run(folder: Path) -> None:
    journal, result = (folder / JOURNAL).is_file(), (folder / RESULT).is_file()
    if not journal and not result:
        raise ConfigurationError(
            f"{folder} is no run", cause=f"it holds no {JOURNAL}", remedy="name a run folder under reports/"
        )
    if not result:
        raise ConfigurationError(
            f"{folder} has no result that could be verified",
            cause="the run was killed before it was judged, or goes on still",
            remedy=f"name a run that has ended, or let loadstone resume {folder.name} go on with it",
        )


def _journal(lines: list[AnyLine]) -> Step:
    """An end that is missing was cut off: a run with a result has one."""
    generations = sum(isinstance(line, GenerationLine) for line in lines)
    ended = bool(lines) and isinstance(lines[-1], EndLine)
    end = "its end" if ended else "but no end: it was cut short"
    return Step("journal", ok=ended, message=f"{len(lines)} lines, {generations} generations, {end}")


def _chunks(folder: Path, lines: list[AnyLine]) -> Step:
    """Every chunk has to match the hash by which the journal names it."""
    generations = [line for line in lines if isinstance(line, GenerationLine)]
    rows = 0
    for place, line in enumerate(generations):
        try:
            rows += read_chunk(folder, line.chunk).size
            read_spikes(folder, line)
        except MeasurementError as error:
            return Step("chunks", ok=False, message=f"generation {place + 1}: {_told(error)}")
    sampled = [side for line in lines if isinstance(line, ProfileLine) for side in line.sides if side.chunk]
    for side in sampled:
        try:
            read_stacks(folder, side)
        except MeasurementError as error:
            return Step("chunks", ok=False, message=f"stacks of {side.variant}: {_told(error)}")
    count = sum(1 + bool(line.spikes) for line in generations) + len(sampled)
    return Step("chunks", ok=True, message=f"{count} of {count} match their hashes, {rows:,} rows")


def _judge_again(folder: Path, recorded: Result) -> Result:
    """Return the result anew; raises `MeasurementError` where the sealed data make none."""
    circumstances = Circumstances(
        run_id=recorded.run.id,
        started_at=recorded.run.started_at,
        finished_at=recorded.run.finished_at,
        duration_s=recorded.run.duration_s,
        machine=recorded.machine,
    )
    try:
        return judge_run(read_sealed(folder), circumstances)
    except LoadstoneError as error:
        raise MeasurementError("the sealed data cannot be judged", cause=_told(error)) from error
    except Exception as error:  # a journal that was tampered with may break anything
        cause = f"{type(error).__name__}: {error}"
        raise MeasurementError("the sealed data cannot be judged", cause=cause) from error


def _compare(text: bytes, recomputed: Result) -> Difference | None:
    """Return the first difference between the result's file and what it should hold."""
    recorded, expected = parse_json(text, "json"), parse_json(encode(recomputed), "json")
    found = first_difference(recorded, expected)
    if found is None:
        return None
    return Difference(found.path.removeprefix("$."), found.before, found.after, _where(expected, found.path))


def _where(tree: Any, path: str) -> str:  # noqa: ANN401 - JSON may be anything
    """Return in words to which contrast, check or the like a path belongs."""
    item = _ITEM.search(path)
    if item is None or int(item[2]) >= len(tree[item[1]]):
        return ""
    record = tree[item[1]][int(item[2])]
    return ", ".join(str(record[name]) for name in _NAMES if record.get(name) is not None)


def _result(recomputed: Result, difference: Difference | None) -> Step:
    parts = (
        f"{len(recomputed.contrasts)} contrasts, {len(recomputed.checks)} checks, "
        f"{len(recomputed.distributions)} distributions, "
        f"verdict {recomputed.verdict.verdict}, exit code {recomputed.verdict.exit_code}"
    )
    if difference is None:
        return Step("result", ok=True, message=f"judged again, the same to the last bit: {parts}")
    message = f"{difference.field} is not what the sealed data say"
    if difference.field == "schema_version":
        message += f": judged by another version; this one writes {SCHEMA_VERSION}, verify with that one"
    return Step("result", ok=False, message=message)


def _told(error: Exception) -> str:
    cause = getattr(error, "cause", "")
    return f"{error.args[0]}: {cause}" if cause else str(error)
