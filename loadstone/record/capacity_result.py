"""The result of a search for capacity, as its file holds it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec

from loadstone.errors import ConfigurationError
from loadstone.record.capacity_record import CapacityPlan
from loadstone.record.folder import CAPACITY_RESULT, write_atomically
from loadstone.record.load_record import Frozen
from loadstone.record.result import Check, Machine

CAPACITY_SCHEMA_VERSION = "1.0"


class Bound(StrEnum):
    """What is known of a capacity."""

    FOUND = "found"
    """Searches ended between a rate that kept the objective and one that broke it."""
    AT_LEAST = "at_least"
    """Something else than the server ended the search: the generator, or the highest rate allowed."""
    BELOW = "below"
    """Not even the lowest rate kept the objective."""
    UNKNOWN = "unknown"
    """No search came to its end."""


class WindowResult(Frozen, frozen=True, kw_only=True):
    """One window: what was offered, and what it showed."""

    generation: int
    variant: int
    processes: int
    rate_rps: float
    seconds: float
    trial: str
    """`kept`, `broken` or `invalid`."""
    problems: list[str]
    """Why it is invalid."""
    broke: list[str]
    """Thresholds that it broke, each with what was seen."""
    cut_short: bool
    """Whether it ended as soon as the objective could not be kept any more."""
    requests: int
    errors: int
    latency_us: float | None
    """The response time that the objective limits; None: not known, or longer than can be told."""
    lag_us: float | None
    """p99 of the lag with which work was handed out."""
    generator_cores: float
    server_cores: float | None
    """CPU seconds per second of all the variant's processes; None: not ours to read."""
    steal: float | None


class SearchResult(Frozen, frozen=True, kw_only=True):
    """One search on one fresh start."""

    generation: int
    variant: int
    processes: int
    start_rps: float
    kept_rps: float | None
    """The highest rate that kept the objective."""
    broken_rps: float | None
    """The lowest rate that broke it."""
    limit: str
    """`objective`, `generator`, `ceiling`, `floor`, `tries`, or `unfinished`."""
    capacity_rps: float | None
    windows: int
    invalid: int
    reason: str
    """Why it ended otherwise than at the objective."""


class CapacityEstimate(Frozen, frozen=True, kw_only=True):
    """The capacity of one variant at one number of processes."""

    variant: int
    label: str
    processes: int
    bound: Bound
    rps: float | None
    """The capacity, or the bound that is known of it."""
    low_rps: float | None
    high_rps: float | None
    searches: int
    """That came to an end."""
    note: str
    requests_per_arrival: float
    knee_rps: float | None
    """Where response times begin to rise steeply."""


class CapacityGain(Frozen, frozen=True, kw_only=True):
    """The capacity of a variant against that of the baseline."""

    variant: int
    processes: int
    bound: Bound
    """`at_least`: one of both is only known to be at least so much."""
    ratio: float | None
    low: float | None
    high: float | None
    pairs: int
    verdict: str


class ProcessesNeeded(Frozen, frozen=True, kw_only=True):
    """How many processes a rate needs."""

    rps: float
    needed: int | None
    low: int | None
    high: int | None
    attainable: float
    """Share of the fits that are possible, in which the rate can be reached at all."""
    extrapolated: bool


class ScalabilityResult(Frozen, frozen=True, kw_only=True):
    """The Universal Scalability Law over numbers of processes, for one variant."""

    variant: int
    label: str
    unavailable: str
    """Why there is no fit, or nothing."""
    rate_one_rps: float | None = None
    contention: float | None = None
    coherency: float | None = None
    residual_sd: float | None = None
    peak_processes: float | None = None
    """Number of processes beyond which capacity falls; None: it never does."""
    points: list[tuple[int, float]] = msgspec.field(default_factory=list)
    """(processes, requests/s) of each search."""
    curve: list[tuple[int, float, float, float]] = msgspec.field(default_factory=list)
    """(processes, requests/s, low, high) of the fit."""
    needed: ProcessesNeeded | None = None
    caution: str = ""
    """What the fit cannot tell."""


class CapacityResult(Frozen, frozen=True, kw_only=True):
    """Everything that a renderer needs to know of a search for capacity."""

    schema_version: Annotated[str, msgspec.Meta(pattern=r"^1\.\d+$")]
    id: str
    started_at: str
    finished_at: str
    duration_s: float
    status: str
    stop_reason: str
    plan: CapacityPlan
    headline: str
    sendable_rps: float | None
    estimates: list[CapacityEstimate]
    gains: list[CapacityGain]
    scalability: list[ScalabilityResult]
    searches: list[SearchResult]
    windows: list[WindowResult]
    checks: list[Check]
    machine: Machine
    exit_code: int


def encode_capacity(result: CapacityResult) -> bytes:
    """Return the result as it is written to its file."""
    return msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n"


def save_capacity(folder: Path, result: CapacityResult) -> Path:
    """Write `capacity.json` and return its path."""
    path = folder / CAPACITY_RESULT
    write_atomically(path, encode_capacity(result))
    return path


def load_capacity(folder: Path) -> CapacityResult:
    """Return the result of a run; raises `ConfigurationError` when there is none that can be read."""
    path = folder / CAPACITY_RESULT
    try:
        return msgspec.json.decode(path.read_bytes(), type=CapacityResult)
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigurationError(
            f"there is no capacity that this version reads in {folder}",
            cause=str(error),
            remedy="name the folder of a run of loadstone capacity",
        ) from error


def capacity_schema() -> dict[str, Any]:
    """Return the JSON Schema of `capacity.json`."""
    schema = msgspec.json.schema(CapacityResult)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Loadstone capacity",
        **schema,
    }
