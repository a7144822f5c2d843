"""What a load run keeps: its plan, and a line for each block with the hashes of its recordings.

The folder's journal opens with the plan; recordings lie beside it, named by their
hash. The result is a function of these alone.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec

from loadstone.errors import MeasurementError
from loadstone.record.recording import Recording

JOURNAL = "load.jsonl"
_CHUNKS = "recordings"


class Frozen(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the parts of the plan and of the result."""


class LoadPlan(Frozen, frozen=True, kw_only=True):
    """A load run, decided before its first request."""

    loadstone_version: str
    title: str
    command: str
    variant: str
    toggles: dict[str, str]
    scenario: str
    scenario_sha256: str
    size: str
    seed: int
    model: str
    """`open` or `closed`."""
    rate: str
    users: int
    """Of the closed model; of the open one, the most that the pool may hold."""
    duration_s: float
    warm_s: float
    thresholds: list[str]
    most_lag_us: float = 10_000.0
    workers: int = 1
    """Generator processes that share the arrivals."""


class WorkerLine(Frozen, frozen=True, kw_only=True):
    """What one generator process did in a block."""

    name: str
    due: int
    begun: int
    requests: int
    """That it recorded, and reported."""
    lost: int
    """Arrivals of which nothing was told, as it died."""
    cpu_s: float
    duration_s: float
    reports: int
    repeated: int
    """Reports that came twice."""
    first: int
    """The arrival from which on it took part: above 0, it came late."""
    ended: str
    """Why it did not come to the block's end; empty where it did."""
    clock_offset_us: float | None
    """By how much its clock is ahead; None: it is the master's own."""
    clock_bound_us: float
    """By how much that may be wrong."""
    clock_moved_us: float
    """By how much the clocks surely went apart during the block."""


class BlockLine(Frozen, frozen=True, kw_only=True, tag="block", tag_field="kind"):
    """One block that is over."""

    requests: str
    """Hash of a recording."""
    schedule: str
    due: int
    begun: int
    not_sent: int
    unfinished: int
    users: int
    backlog: int
    scenario_errors: int
    first_error: str
    duration_s: float
    generator_cpu_s: float
    clock_drift_s: float
    server_cpu_s: float | None
    """CPU of all the variant's processes, services included."""
    steal: float | None
    sendable_rps: float | None
    """What the self-test said that this generator can send."""
    aborted: str
    """The threshold that ended the run before its time, or what else did."""
    planned: int | None = None
    """Arrivals that the plan has until the block's end; None in the closed model."""
    lost: int = 0
    """Arrivals of workers that died, of which nothing was told; `begun` has none of them."""
    mismatch: str = ""
    """Why the sum over workers is not what the plan says; empty where it is."""
    workers: list[WorkerLine] = []


class LoadPlanLine(Frozen, frozen=True, kw_only=True, tag="plan", tag_field="kind"):
    """The plan that everything below follows."""

    plan: LoadPlan


class LoadEndLine(Frozen, frozen=True, kw_only=True, tag="end", tag_field="kind"):
    """Why it ended."""

    status: str
    stop_reason: str
    at: str
    other_runs: int = 0
    """Most other runs that went on at once on this machine."""


LoadLine = LoadPlanLine | BlockLine | LoadEndLine


class LoadJournal:
    """Writes the journal and the recordings of a load run."""

    def __init__(self, folder: Path, name: str = JOURNAL) -> None:
        self._chunks = folder / _CHUNKS
        self._chunks.mkdir()
        self._file = (folder / name).open("ab")

    def append(self, line: msgspec.Struct) -> None:
        """Add one line and flush it to the disk; raises `OSError` when it cannot."""
        self._file.write(msgspec.json.encode(line) + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def seal(self, recording: Recording) -> str:
        """Store a recording under its hash, and return the hash."""
        data = recording.pack()
        name = hashlib.sha256(data).hexdigest()
        (self._chunks / f"{name}.rec").write_bytes(data)
        return name

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_load_journal(folder: Path) -> list[LoadLine]:
    """Return the lines of a load run's journal, without a torn last one.

    Raises:
        MeasurementError: there is none, or a line that is not the last one cannot be read.
    """
    decoder = msgspec.json.Decoder(LoadLine)
    try:
        *whole, torn = (folder / JOURNAL).read_bytes().split(b"\n")
        lines = [decoder.decode(line) for line in whole]
        if torn:
            lines.append(decoder.decode(torn))
    except OSError as error:
        raise MeasurementError(f"{folder} holds no load run", cause=str(error)) from error
    except msgspec.DecodeError as error:
        if len(lines := _readable(decoder, whole)) < len(whole):
            raise MeasurementError(
                f"{JOURNAL} is damaged", cause=str(error), remedy="repeat the run"
            ) from error
    return lines


def read_recording(folder: Path, name: str) -> Recording:
    """Return a sealed recording; raises `MeasurementError` when it is not what was sealed."""
    path = folder / _CHUNKS / f"{name}.rec"
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MeasurementError("a sealed recording is missing", cause=str(error)) from error
    if hashlib.sha256(data).hexdigest() != name:
        raise MeasurementError("a sealed recording was changed", cause=f"{path} does not match its name")
    return Recording.unpack(data)


def _readable(decoder: msgspec.json.Decoder[LoadLine], lines: list[bytes]) -> list[LoadLine]:
    found: list[LoadLine] = []
    for line in lines:
        try:
            found.append(decoder.decode(line))
        except msgspec.DecodeError:
            break
    return found
