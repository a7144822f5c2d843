"""What a run that was cut short has kept, so that it can go on by the same plan."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from loadstone.errors import ConfigurationError, MeasurementError
from loadstone.record.capacity_record import CAPACITY_JOURNAL
from loadstone.record.folder import RESULT
from loadstone.record.journal import (
    JOURNAL,
    AnyLine,
    EndLine,
    GenerationLine,
    PlanLine,
    ProbeLine,
    ResumeLine,
    read_journal,
)
from loadstone.record.load_record import JOURNAL as LOAD_JOURNAL
from loadstone.record.plan import Plan
from loadstone.record.result import RunStatus


class _Commanded(msgspec.Struct):
    command: str = ""


class _Design(msgspec.Struct):
    plan: _Commanded = msgspec.field(default_factory=_Commanded)


class _AnyPlan(msgspec.Struct):
    """The first line of any journal, as far as a command is looked for."""

    plan: _Commanded = msgspec.field(default_factory=_Commanded)
    design: _Design | None = None


_OTHER_JOURNALS = (LOAD_JOURNAL, CAPACITY_JOURNAL)
"""Of the lanes whose runs do not go on."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A run that can go on, or one that has ended and was never judged."""

    folder: Path
    plan: Plan
    machine: str
    """Fingerprint of the machine that measured it; empty: not recorded."""
    probed: bool
    generations: list[GenerationLine]
    ended: bool
    """Whether measuring came to its end, so that only judging is left."""
    started_at: str
    last_at: str
    """The last sign of life; both are ISO 8601, and empty where not recorded."""

    @property
    def lasted_s(self) -> float:
        """Seconds from the plan to the last sign of life; pauses between two parts count too."""
        return seconds_between(self.started_at, self.last_at)


def seconds_between(begin: str, end: str) -> float:
    """Return the seconds between two instants in ISO 8601; 0 where one is not known."""
    if not begin or not end:
        return 0.0
    try:
        return max(0.0, (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds())
    except (ValueError, TypeError) as error:  # no times, or one with a zone and one without
        raise MeasurementError("a journal's times cannot be read", cause=f"{begin}, {end}") from error


def to_second(instant: str) -> str:
    """Return an instant in ISO 8601 without fractions of a second, as results tell it."""
    return datetime.fromisoformat(instant).isoformat(timespec="seconds") if instant else ""


def read_kept(folder: Path) -> Kept:
    """Return what a run has kept.

    Raises:
        ConfigurationError: it is no run, not one of the pair lane, or complete, or its journal is damaged.
        MeasurementError: it was ended by a fault, and stays invalid.
    """
    lines = _lines(folder)
    first = lines[0] if lines else None
    if not isinstance(first, PlanLine):
        raise ConfigurationError(
            f"{folder.name} has nothing to go on with",
            cause="it was cut short before its plan was frozen",
            remedy="start it anew",
        )
    if "pair" not in first.plan.lanes:
        raise _wrong_lane(folder, "a probe", first.plan.command)
    return Kept(
        folder=folder,
        plan=first.plan,
        machine=first.machine,
        probed=any(isinstance(line, ProbeLine) for line in lines),
        generations=[line for line in lines if isinstance(line, GenerationLine)],
        ended=_has_ended(folder, lines, first.plan),
        started_at=first.at,
        last_at=_last_sign(lines),
    )


def _lines(folder: Path) -> list[AnyLine]:
    path = folder / JOURNAL
    other = next((name for name in _OTHER_JOURNALS if (folder / name).is_file()), None)
    if not path.is_file() and other is not None:
        kind, command = _other_run(folder / other)
        raise _wrong_lane(folder, kind, command)
    if not path.is_file():
        raise ConfigurationError(
            f"{folder} is no run", cause=f"it holds no {JOURNAL}", remedy="name a run folder under reports/"
        )
    first, newline, _ = path.read_bytes().partition(b"\n")
    try:
        command = msgspec.json.decode(first, type=PlanLine).plan.command
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        if not newline:  # torn
            return []
        cause = f"{path.name} does not begin with a plan: {error}"
        raise unresumable(folder, cause, "restore it from a copy, or start the run anew") from error
    try:
        return read_journal(folder)
    except MeasurementError as error:
        raise damaged(folder, error, command) from error


def unresumable(folder: Path, cause: str, remedy: str) -> ConfigurationError:
    """Return what to tell of a run that cannot go on."""
    return ConfigurationError(f"{folder.name} cannot be resumed", cause=cause, remedy=remedy)


def damaged(folder: Path, error: MeasurementError, command: str) -> ConfigurationError:
    """Return what to tell of a run whose folder is damaged: nothing was measured, and nothing is changed."""
    cause = f"{error.problem}: {error.cause}" if error.cause else error.problem
    return unresumable(folder, cause, f"restore it from a copy, or start the run anew: {command}")


def _wrong_lane(folder: Path, kind: str, command: str) -> ConfigurationError:
    cause = f"it is {kind}: only comparisons of the pair lane go on where they broke off"
    again = f"repeat it: {command}" if command else "repeat it"
    return unresumable(folder, cause, f"{again} (what it sealed stays in its folder)")


def _other_run(journal: Path) -> tuple[str, str]:
    """Return what a run of another lane is, and its command where the journal says so."""
    line, told = journal.read_bytes().partition(b"\n")[0], _AnyPlan()
    with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):  # torn, or damaged
        told = msgspec.json.decode(line, type=_AnyPlan)
    if journal.name == CAPACITY_JOURNAL:
        return "a search for capacity", told.plan.command
    if told.design is not None:
        return "a comparison under load", told.design.plan.command
    return "a run under load", told.plan.command


def _has_ended(folder: Path, lines: list[AnyLine], plan: Plan) -> bool:
    """Tell whether only judging is left; raises where nothing is."""
    end = lines[-1] if isinstance(lines[-1], EndLine) else None
    if end is None or end.status == RunStatus.PARTIAL:
        return False
    if not (folder / RESULT).exists():
        return True
    if end.status == RunStatus.COMPLETE:
        raise ConfigurationError(
            f"{folder.name} is complete", cause=end.stop_reason, remedy="look at it with loadstone report"
        )
    raise MeasurementError(
        f"{folder.name} was ended by a fault, and stays invalid",
        cause=": ".join(text for text in (end.stop_reason, end.cause) if text),
        remedy=f"mend that and repeat it: {plan.command}",
    )


def _last_sign(lines: list[AnyLine]) -> str:
    for line in reversed(lines):
        if isinstance(line, GenerationLine) and line.ended_at:
            return line.ended_at
        if isinstance(line, (EndLine, ResumeLine, PlanLine)) and line.at:
            return line.at
    return ""
