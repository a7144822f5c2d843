"""Verifying a comparison under load: judge it again from its sealed recordings, and compare."""

from __future__ import annotations

from pathlib import Path

import msgspec

from loadstone.errors import LoadstoneError
from loadstone.explain.content import parse_json
from loadstone.explain.json_diff import first_difference
from loadstone.record.folder import RESULT
from loadstone.record.load_record import JOURNAL
from loadstone.record.result import Result, decode, encode
from loadstone.verdict.assemble import Circumstances
from loadstone.verdict.load_comparison import SealedLoad, judge_comparison, read_sealed_load
from loadstone.verdict.verify import Difference, Step, Verification


def is_load_comparison(folder: Path) -> bool:
    """Tell whether a run's folder holds a comparison under load."""
    return (folder / JOURNAL).is_file() and (folder / RESULT).is_file()


def verify_load(folder: Path) -> Verification:
    """Judge a comparison under load again from its journal and recordings; compare with its result."""
    try:
        sealed = read_sealed_load(folder)  # every recording has to match the hash that names it
    except LoadstoneError as error:
        return Verification(folder.name, [Step("journal", ok=False, message=_told(error))])
    steps = [_journal(sealed)]
    try:
        text = (folder / RESULT).read_bytes()
        again = judge_comparison(sealed, _circumstances(decode(text)))
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, LoadstoneError) as error:
        return Verification(folder.name, [*steps, Step("result", ok=False, message=_told(error))])
    found = first_difference(parse_json(text, "json"), parse_json(encode(again), "json"))
    if found is None:
        told = f"{len(again.contrasts)} contrasts, verdict {again.verdict.verdict}"
        message = f"judged again, the same to the last bit: {told}"
        return Verification(folder.name, [*steps, Step("result", ok=True, message=message)])
    difference = Difference(found.path.removeprefix("$."), found.before, found.after)
    message = f"{difference.field} is not what the sealed data say"
    return Verification(folder.name, [*steps, Step("result", ok=False, message=message)], difference)


def _journal(sealed: SealedLoad) -> Step:
    """An end that is missing was cut off: a run with a result has one."""
    generations = sealed.observations.count
    end = "its end" if sealed.end else "but no end: it was cut short"
    message = f"{generations} generations, {2 * generations} recordings match their hashes, {end}"
    return Step("journal", ok=sealed.end is not None, message=message)


def _circumstances(recorded: Result) -> Circumstances:
    return Circumstances(
        run_id=recorded.run.id,
        started_at=recorded.run.started_at,
        finished_at=recorded.run.finished_at,
        duration_s=recorded.run.duration_s,
        machine=recorded.machine,
    )


def _told(error: Exception) -> str:
    cause = getattr(error, "cause", "")
    return f"{error}" if not cause else f"{error.args[0]}: {cause}"
