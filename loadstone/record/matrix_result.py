"""The result of a matrix of toggles: a versioned record, written to `matrix.json`.

Effects are fractions (-0.25 is "25% less"); latencies are microseconds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec

from loadstone.errors import ConfigurationError
from loadstone.record.base import Record
from loadstone.record.folder import MATRIX_RESULT
from loadstone.record.result import Check, Effect, Machine

MATRIX_SCHEMA_VERSION = "1.0"


class Factor(Record, frozen=True, kw_only=True):
    """One toggle at two choices."""

    name: str
    off: str
    on: str


class MatrixPlan(Record, frozen=True, kw_only=True):
    """What was decided before the first comparison."""

    loadstone_version: str
    title: str
    command: str
    factors: list[Factor]
    half: bool
    """Whether half of the combinations are measured, so that pairs are told only as sums of two."""
    cells: list[list[bool]]
    """Of each cell, which factors are on; the base, where none is, comes first."""
    blocks: list[list[int]]
    """Cells that one comparison holds against the base, by their places in `cells`."""
    generations: int
    """Of each comparison: planned, and not ended early, as effects are judged once."""
    budget_s: float
    """Of all comparisons together, beside preparing and probing."""
    margin: float
    alpha: float
    scenario: str
    size: str
    seed: int


class MatrixEffect(Record, frozen=True, kw_only=True):
    """What one factor does over all else, or by how much one changes the other's effect."""

    metric: str
    factors: list[str]
    """One: a main effect. Two: an interaction: one's effect with the other on, over that with it off."""
    effect: Effect
    df: float
    detected: bool
    """Whether 0 lies outside the interval, whose level allows for all effects of the metric."""
    aliases: list[list[str]] = []
    """Pairs that half a design cannot tell apart from this one."""


class MatrixCell(Record, frozen=True, kw_only=True):
    """One combination against the base."""

    on: list[str]
    label: str
    run: str
    """The comparison that measured it; empty for the base."""
    latency_us: float
    """The base's mean latency times the cell's ratio to it."""
    latency: Effect | None
    """None: the base itself."""
    cpu: Effect | None
    extra_bytes: int | None
    """What it holds beyond the base (memory, tables, indexes, cache), read once after the probe."""
    worse: int
    """Things that got worse than the base, as its comparison told them."""
    best: bool
    """On the front: no other is as fast and holds as little, and better in one."""


class MatrixStep(Record, frozen=True, kw_only=True):
    """One step from the worst to the best: the factor that gains most, given those before it."""

    factor: str
    latency_us: float
    """After it."""
    change: float
    """By this step alone."""
    predicted: bool
    """By main effects alone, as the combination was not measured."""


class MatrixResult(Record, frozen=True, kw_only=True):
    """Everything that a renderer needs to know of a matrix."""

    schema_version: Annotated[str, msgspec.Meta(pattern=r"^1\.\d+$")]
    id: str
    started_at: str
    finished_at: str
    duration_s: float
    status: str
    stop_reason: str
    plan: MatrixPlan
    effects: list[MatrixEffect]
    cells: list[MatrixCell]
    steps: list[MatrixStep]
    runs: list[str]
    checks: list[Check]
    machine: Machine
    exit_code: int


def load_matrix(folder: Path) -> MatrixResult:
    """Return the result of a matrix; raises `ConfigurationError` when there is none that can be read."""
    path = folder / MATRIX_RESULT
    try:
        return msgspec.json.decode(path.read_bytes(), type=MatrixResult)
    except OSError as error:
        raise ConfigurationError(f"there is no matrix in {folder}", cause=str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{path} is no matrix that this version reads",
            cause=str(error),
            remedy="read it with the version of Loadstone that wrote it",
        ) from error


def matrix_schema() -> dict[str, Any]:
    """Return the JSON Schema of `matrix.json`."""
    schema = msgspec.json.schema(MatrixResult)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Loadstone matrix", **schema}
