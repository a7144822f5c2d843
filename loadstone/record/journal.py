"""The journal of a run: append-only lines, flushed to disk one by one.

The first line is the plan. Each generation seals a chunk of raw rows, stored
beside the journal under the name of its hash, and adds a line that names it. A
torn last line is what a kill leaves behind; it is dropped when reading.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import msgspec

from loadstone.errors import ConfigurationError, MeasurementError
from loadstone.record.observations import Rows, Spikes, rows_from_bytes, spikes_from_bytes
from loadstone.record.plan import Plan
from loadstone.record.profiled import SampledSide

JOURNAL = "journal.jsonl"


def now() -> str:
    """Return the time of day as journals keep it: ISO 8601, UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class UnkeptError(MeasurementError):
    """The run's folder takes no more; what is sealed is as good as before."""


class Line(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """Base of a journal's lines."""


class PlanLine(Line, frozen=True, kw_only=True, tag="plan"):
    """The plan that everything below follows."""

    plan: Plan
    at: str = ""
    """When it was frozen; empty: not recorded."""
    machine: str = ""
    """Fingerprint of the machine that measures; empty: not recorded."""


class CpuSeconds(msgspec.Struct, frozen=True, kw_only=True):
    """CPU that one variant's processes used while a generation was measured."""

    server_s: float | None
    database_s: float | None
    cache_s: float | None
    memory_bytes: int | None = None
    """Of server and companions."""
    companions_s: float = 0.0


class UserHash(msgspec.Struct, frozen=True, kw_only=True):
    """Request sequence of one user in one generation."""

    user: int
    steps: int
    checkpoints: dict[str, str]


class GenerationLine(Line, frozen=True, kw_only=True, tag="generation"):
    """One measured generation; `chunk` is the SHA-256 of its rows."""

    index: int
    chunk: str
    rows: int
    steps: list[str]
    cpu: list[CpuSeconds]
    """By variant index."""
    users: list[UserHash]
    pairs: int
    diverged: int
    iterations: int
    duration_s: float
    generator_cpu_s: float
    steal: float | None
    scenario_errors: int
    first_error: str
    plan_fingerprints: list[str] = []
    stopped_early: str = ""
    """Why the users stopped before the planned time, where they did."""
    other_runs: int = 0
    """Other runs of this machine that went on at the same time."""
    turnover_s: float | None = None
    """What it took to start the variants, warm them up and stop them; None: not recorded."""
    spikes: str = ""
    """Chunk of what each row's service time holds of a known extra cost; empty: none does."""
    ended_at: str = ""
    """When the last timed request was answered; empty: not recorded."""


class ProbeLine(Line, frozen=True, kw_only=True, tag="probe"):
    """What the probe lane saw, as it stands in the result."""

    probe: msgspec.Raw


class ProfileLine(Line, frozen=True, kw_only=True, tag="profile"):
    """Stacks that were sampled after the last generation."""

    requests: int
    """Of each variant in the block."""
    seconds: float
    rate_hz: int
    sides: list[SampledSide]


class EndLine(Line, frozen=True, kw_only=True, tag="end"):
    """Why measuring ended; absent where the run was killed."""

    status: str
    stop_reason: str
    at: str
    decided: bool = False
    """Whether the data ended it: a look that decided, or the last planned one."""
    cause: str = ""
    """Of a fault: what is known of it."""


class ResumeLine(Line, frozen=True, kw_only=True, tag="resume"):
    """The run was cut short before this line, and goes on after it by the same plan."""

    at: str
    generations: int
    """How many were sealed before."""
    idle_s: float
    """Between the last sign of life and now; what went on meanwhile is not known."""


AnyLine = PlanLine | GenerationLine | ProbeLine | ProfileLine | EndLine | ResumeLine


class Journal:
    """Writes a run's journal and chunks, and holds the journal locked for as long as it is open."""

    def __init__(self, folder: Path, *, resume: bool = False) -> None:
        """Open the journal of a new run, or with `resume` that of one that was cut short.

        Raises:
            ConfigurationError: the run goes on still.
        """
        self._chunks = folder / "chunks"
        self._chunks.mkdir(exist_ok=resume)
        self._file: IO[bytes] = (folder / JOURNAL).open("ab")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise ConfigurationError(
                f"{folder.name} goes on still", cause="another process writes its journal"
            ) from error
        if resume:
            self._drop_torn(folder / JOURNAL)

    def _drop_torn(self, path: Path) -> None:
        """Cut off a last line without its end, which a kill leaves behind."""
        data = path.read_bytes()
        self._file.truncate(data.rfind(b"\n") + 1)

    def append(self, line: AnyLine) -> None:
        """Add one line and flush it to the disk; raises `UnkeptError` when it cannot.

        What could not be written then is written before the next line, or is the torn last one.
        """
        with self._keeping():
            self._file.write(msgspec.json.encode(line) + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())

    def seal(self, rows: bytes) -> str:
        """Store a chunk under its hash, durably, and return the hash; raises `UnkeptError`."""
        name = hashlib.sha256(rows).hexdigest()
        temporary = self._chunks / f".{name}.tmp"
        with self._keeping():
            try:
                with temporary.open("wb") as file:
                    file.write(rows)
                    file.flush()
                    os.fsync(file.fileno())
                temporary.rename(self._chunks / f"{name}.rows")
            finally:
                temporary.unlink(missing_ok=True)  # a full disk needs the room
        return name

    def close(self) -> None:
        """Close the file; raises `UnkeptError` when what it holds cannot be written."""
        with self._keeping():
            self._file.close()

    @contextmanager
    def _keeping(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            name = self._chunks.parent.name
            raise UnkeptError(
                f"what is measured cannot be kept in {name}",
                cause=str(error),
                remedy=f"make room, and go on: loadstone resume {name}",
            ) from error


def read_journal(folder: Path) -> list[AnyLine]:
    """Return the lines of a run's journal, without a torn last one.

    Raises:
        MeasurementError: a line that is not the last one cannot be read.
    """
    path = folder / JOURNAL
    decoder = msgspec.json.Decoder(AnyLine)
    lines: list[AnyLine] = []
    raw_lines = path.read_bytes().split(b"\n")
    for number, raw in enumerate(raw_lines, start=1):
        if not raw:
            continue
        try:
            lines.append(decoder.decode(raw))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            if number == len(raw_lines):  # no newline behind it: torn
                break
            raise MeasurementError(
                f"{path.name} is damaged", cause=f"{path}:{number}: {error}", remedy="repeat the run"
            ) from error
    return lines


def read_chunk(folder: Path, name: str) -> Rows:
    """Return the rows of chunk `name`; raises `MeasurementError` when they are not what was sealed."""
    return rows_from_bytes(_read_sealed(folder, name))


def read_spikes(folder: Path, line: GenerationLine) -> Spikes:
    """Return the nanoseconds of known extra cost in each row's service time, [rows]; raises as above."""
    spikes = spikes_from_bytes(_read_sealed(folder, line.spikes) if line.spikes else b"", line.rows)
    if spikes.size != line.rows:
        raise MeasurementError(
            "a sealed chunk does not belong to its generation",
            cause=f"{spikes.size} extra costs for {line.rows} rows",
        )
    return spikes


def read_stacks(folder: Path, side: SampledSide) -> bytes:
    """Return the folded stacks of one side, empty where there are none; raises as above."""
    return _read_sealed(folder, side.chunk) if side.chunk else b""


def _read_sealed(folder: Path, name: str) -> bytes:
    path = folder / "chunks" / f"{name}.rows"
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MeasurementError("a sealed chunk is missing", cause=str(error)) from error
    if hashlib.sha256(data).hexdigest() != name:
        raise MeasurementError("a sealed chunk was changed", cause=f"{path} does not match its name")
    return data
