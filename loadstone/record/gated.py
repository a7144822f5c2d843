"""What the gate found: a versioned record, written to `gate.json`.

Units are as in `result.json`: latencies in microseconds, effects and shares as fractions.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec

from loadstone.errors import ConfigurationError
from loadstone.record.base import Record

GATE_VERSION = "1.0"
"""Major changes when an older reader would misread; minor when fields are added."""
GATE = "gate.json"
LARGEST = 4_000_000
"""Bytes of a record that are read from others."""


class Kind(StrEnum):
    """What a finding is about."""

    EXACT = "exact"
    """A count of the probe, without error bars."""
    BUDGET = "budget"
    """An absolute limit of the head."""
    TIMING = "timing"
    """Head against base, with an interval."""
    MEASUREMENT = "measurement"
    """Whether the run may be believed."""
    ACCEPTANCE = "acceptance"
    """An entry of the file of accepted changes."""


class Status(StrEnum):
    """How a finding came out, the worst first."""

    FAILED = "failed"
    EXPIRED = "expired"
    """It was accepted, until a day that is over: it fails."""
    INVALID = "invalid"
    """What was measured must not be believed."""
    INCONCLUSIVE = "inconclusive"
    """Neither shown to hold nor to fail."""
    ACCEPTED = "accepted"
    """It would fail, and somebody answers for it."""
    UNMEASURED = "unmeasured"
    """Not measurable here, and nobody asked for it by name."""
    HELD = "held"


class Outcome(StrEnum):
    """What the gate says."""

    PASSED = "passed"
    FAILED = "failed"
    INVALID = "invalid"
    INCONCLUSIVE = "inconclusive"
    INTERRUPTED = "interrupted"


class Acceptance(Record, frozen=True, kw_only=True):
    """Who accepted a change, up to what, until when."""

    up_to: str
    reason: str
    who: str
    until: str
    file: str
    line: int


class GateFinding(Record, frozen=True, kw_only=True):
    """One thing that must hold, and how it came out."""

    experiment: str
    kind: Kind
    subject: str
    """A metric, an exact fact, a budget's text, or a check."""
    endpoint: str | None = None
    status: Status
    message: str
    remedy: str = ""
    before: float | None = None
    after: float | None = None
    unit: str = ""
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    margin: float | None = None
    acceptance: Acceptance | None = None
    file: str = ""
    """Where it is annotated, from the root of the repository; empty where that is not known."""
    line: int = 0


class GateSide(Record, frozen=True, kw_only=True):
    """Base or head."""

    ref: str
    commit: str
    subject: str = ""


class GateExperimentInfo(Record, frozen=True, kw_only=True):
    """One experiment of the gate, and the runs that it took."""

    name: str
    lane: str
    line: int = 1
    """In the configuration."""
    runs: list[str]
    """Names of run folders: the probe's, then the timed one's."""
    took_s: float = 0.0
    verdict: str = ""
    headline: str = ""
    measured: bool = True
    """False where it was not timed: something had failed already, or time was up."""


class GateResult(Record, frozen=True, kw_only=True):
    """Everything that the gate says."""

    gate_version: Annotated[str, msgspec.Meta(pattern=r"^1\.\d+$")] = GATE_VERSION
    loadstone_version: str
    outcome: Outcome
    exit_code: int
    headline: str
    base: GateSide
    head: GateSide
    started_at: str
    took_s: float
    exact_took_s: float | None = None
    """Until every exact fact was known."""
    config: str
    """File of the configuration, from the root of the repository."""
    machine: str = ""
    experiments: list[GateExperimentInfo]
    findings: list[GateFinding]
    """Worst first."""


def encode_gate(result: GateResult) -> bytes:
    """Return the record as indented JSON, UTF-8."""
    return msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n"


def load_gate(path: Path) -> GateResult:
    """Return the record in `path`, or in a folder's `gate.json`; fit for files of strangers.

    Raises:
        ConfigurationError: there is none, it is too large, or no such record.
    """
    path = path / GATE if path.is_dir() else path
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(LARGEST), type=GateResult)  # what is cut off is malformed
    except OSError as error:
        raise ConfigurationError(f"there is no {path}", cause=str(error)) from error
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise ConfigurationError(
            f"{path} is no result of the gate that this version reads",
            cause=str(error),
            remedy="read it with the version of Loadstone that wrote it",
        ) from error


def gate_schema() -> dict[str, Any]:
    """Return the JSON Schema of `gate.json`."""
    schema = msgspec.json.schema(GateResult)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Loadstone gate", **schema}
