"""Verifying a search for capacity: walk it again over its sealed windows, judge it, and compare."""

from __future__ import annotations

from pathlib import Path

import msgspec

from loadstone.errors import LoadstoneError
from loadstone.explain.content import parse_json
from loadstone.explain.json_diff import first_difference
from loadstone.record.capacity_record import CAPACITY_JOURNAL
from loadstone.record.capacity_result import CapacityResult, encode_capacity
from loadstone.record.folder import CAPACITY_RESULT
from loadstone.verdict.capacity import judge_capacity
from loadstone.verdict.capacity_searches import SealedCapacity, read_sealed_capacity
from loadstone.verdict.verify import Difference, Step, Verification

AS_RECORDED = ("id", "started_at", "machine")


def is_capacity(folder: Path) -> bool:
    """Tell whether a run's folder holds a search for capacity that has a result."""
    return (folder / CAPACITY_JOURNAL).is_file() and (folder / CAPACITY_RESULT).is_file()


def verify_capacity(folder: Path) -> Verification:
    """Judge a search again from its journal and recordings; compare with its result."""
    try:
        sealed = read_sealed_capacity(folder)  # every recording has to match the hash that names it
    except LoadstoneError as error:
        return _verification(folder, [Step("journal", ok=False, message=_told(error))])
    steps = [_journal(sealed)]
    try:
        text = (folder / CAPACITY_RESULT).read_bytes()
        recorded = msgspec.json.decode(text, type=CapacityResult)
        again = judge_capacity(sealed, (recorded.id, recorded.started_at), recorded.machine)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, LoadstoneError) as error:
        return _verification(folder, [*steps, Step("result", ok=False, message=_told(error))])
    found = first_difference(parse_json(text, "json"), parse_json(encode_capacity(again), "json"))
    if found is None:
        told = f"{len(again.windows)} windows, {len(again.searches)} searches, {again.headline}"
        message = f"judged again, the same to the last bit: {told}"
        return _verification(folder, [*steps, Step("result", ok=True, message=message)])
    difference = Difference(found.path.removeprefix("$."), found.before, found.after)
    message = f"{difference.field} is not what the sealed data say"
    return _verification(folder, [*steps, Step("result", ok=False, message=message)], difference)


def _verification(folder: Path, steps: list[Step], difference: Difference | None = None) -> Verification:
    return Verification(folder.name, steps, difference, AS_RECORDED)


def _journal(sealed: SealedCapacity) -> Step:
    """An end that is missing was cut off: a run with a result has one."""
    windows = sum(len(one.windows) for one in sealed.searches)
    end = "its end" if sealed.end else "but no end: it was cut short"
    message = (
        f"{windows} windows follow from their searches, {2 * windows} recordings match their hashes, {end}"
    )
    return Step("journal", ok=sealed.end is not None, message=message)


def _told(error: Exception) -> str:
    cause = getattr(error, "cause", "")
    return f"{error.args[0]}: {cause}" if cause else str(error)
