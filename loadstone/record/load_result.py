"""The result of a load run: a versioned record, written to `load.json`.

Times are microseconds, CPU is seconds, shares are fractions.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec

from loadstone.errors import ConfigurationError
from loadstone.record.base import Record
from loadstone.record.folder import LOAD_RESULT
from loadstone.record.load_record import LoadPlan, WorkerLine
from loadstone.record.result import Check, Machine

LOAD_SCHEMA_VERSION = "1.1"


class Quantiles(Record, frozen=True, kw_only=True):
    """One of the three times of one endpoint: microseconds by quantile; None where it is not known."""

    mean_us: float | None
    max_us: float | None
    values: list[tuple[float, float | None]]


class EndpointLoad(Record, frozen=True, kw_only=True):
    """What one endpoint saw, or all together."""

    endpoint: str | None
    requests: int
    errors: int
    outcomes: dict[str, int]
    rps: float
    response: Quantiles
    service: Quantiles
    lag: Quantiles


class SecondLoad(Record, frozen=True, kw_only=True):
    """What one stretch of time brought."""

    start_s: int
    width_s: int
    planned: float | None
    requests: int
    errors: int
    p50_us: float | None
    p99_us: float | None


class LoadCurve(Record, frozen=True, kw_only=True):
    """The distribution of one of the three times, of one endpoint or of all together."""

    endpoint: str | None
    time: str
    """`response`, `service` or `lag`."""
    count: int
    """Requests that ended well, and those that were given up: longer than the last quantile told."""
    mean_us: float
    """Of those that ended well."""
    quantiles: list[tuple[float, float]]
    """(q, microseconds), ascending, as far as the count carries them and nothing was given up."""


class ThresholdResult(Record, frozen=True, kw_only=True):
    """How a threshold fared."""

    text: str
    status: str
    worst: float | None
    """None: unknown, or longer than any limit."""
    endless: bool
    """Whether it fell among requests that were given up."""
    unit: str
    at_s: int
    requests: int


class LoadResult(Record, frozen=True, kw_only=True):
    """Everything that a renderer needs to know of a load run."""

    schema_version: Annotated[str, msgspec.Meta(pattern=r"^1\.\d+$")]
    id: str
    started_at: str
    finished_at: str
    status: str
    stop_reason: str
    plan: LoadPlan
    saturated: bool
    due: int
    begun: int
    not_sent: int
    unfinished: int
    users: int
    backlog: int
    duration_s: float
    cpu_per_request_s: float | None
    overall: EndpointLoad
    endpoints: list[EndpointLoad]
    iterations: list[EndpointLoad]
    seconds: list[SecondLoad]
    thresholds: list[ThresholdResult]
    checks: list[Check]
    machine: Machine
    exit_code: int
    lost: int = 0
    """Arrivals of workers that died, of which nothing was told; they count as failed."""
    workers: list[WorkerLine] = []
    curves: list[LoadCurve] = []


def read_load_result(folder: Path) -> LoadResult:
    """Return the result of a load run; raises `ConfigurationError` when there is none that can be read."""
    path = folder / LOAD_RESULT
    try:
        return msgspec.json.decode(path.read_bytes(), type=LoadResult)
    except OSError as error:
        raise ConfigurationError(f"there is no load run in {folder}", cause=str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{path} is no result that this version reads",
            cause=str(error),
            remedy="read it with the version of Loadstone that wrote it",
        ) from error


def load_schema() -> dict[str, Any]:
    """Return the JSON Schema of `load.json`."""
    schema = msgspec.json.schema(LoadResult)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Loadstone load", **schema}
