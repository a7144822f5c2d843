"""What a comparison under load keeps: its design, and a line a generation with its recordings' hashes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from loadstone.errors import MeasurementError
from loadstone.record.journal import CpuSeconds
from loadstone.record.load_record import JOURNAL, Frozen
from loadstone.record.plan import Plan


class LoadDesign(Frozen, frozen=True, kw_only=True):
    """What is offered, beside the plan that says how it is judged."""

    plan: Plan
    rate: str
    block_s: float
    gap_s: float
    windows: int
    """Stretches of the rate's plan that blocks go through, one after the other."""
    couples: int
    """Blocks of each variant in a generation."""
    orders: list[list[list[int]]]
    """[generation][couple]: variant indices in the order of their blocks."""
    most_users: int
    most_backlog: int
    drain_s: float
    most_lag_us: float = 10_000.0
    workers: int = 1

    @property
    def hash(self) -> str:
        """Sixteen hex digits over all of it."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:16]


class LoadBlock(Frozen, frozen=True, kw_only=True):
    """One block of one variant."""

    variant: int
    couple: int
    planned_s: float
    due: int
    begun: int
    not_sent: int
    unfinished: int
    duration_s: float
    generator_cpu_s: float
    clock_drift_s: float
    cpu: CpuSeconds
    """From the block's start to the end of the gap behind it."""
    workers: int = 1
    clock_bound_s: float = 0.0
    """By how much a worker's clock may have been other than thought."""
    clock_moved_s: float = 0.0
    """By how much a worker's clock surely went apart from ours."""


class DesignLine(Frozen, frozen=True, kw_only=True, tag="design", tag_field="kind"):
    """The design that everything below follows."""

    design: LoadDesign


class ProbedLine(Frozen, frozen=True, kw_only=True, tag="probe", tag_field="kind"):
    """What the probe lane saw."""

    probe: msgspec.Raw


class LoadGenerationLine(Frozen, frozen=True, kw_only=True, tag="generation", tag_field="kind"):
    """One fresh start of every variant, and the blocks that it served."""

    index: int
    requests: str
    """Hash of a recording; its variants are those of the plan."""
    schedule: str
    blocks: list[LoadBlock]
    steal: float | None
    scenario_errors: int
    first_error: str
    duration_s: float
    ended_at: str = ""
    """When its last block was over; empty: not recorded."""


class ComparisonEndLine(Frozen, frozen=True, kw_only=True, tag="end", tag_field="kind"):
    """Why measuring ended."""

    status: str
    stop_reason: str
    at: str
    decided: bool = False
    cause: str = ""
    other_runs: int = 0
    """Most other runs that went on at once on this machine."""


ComparisonLine = DesignLine | ProbedLine | LoadGenerationLine | ComparisonEndLine


def read_comparison(folder: Path) -> list[ComparisonLine]:
    """Return the lines of a comparison's journal; a torn last line is dropped.

    Raises:
        MeasurementError: there is none, or it is damaged.
    """
    decoder = msgspec.json.Decoder(ComparisonLine)
    try:
        *whole, _torn = (folder / JOURNAL).read_bytes().split(b"\n")
        return [decoder.decode(line) for line in whole]
    except OSError as error:
        raise MeasurementError(f"{folder} holds no comparison under load", cause=str(error)) from error
    except msgspec.DecodeError as error:
        raise MeasurementError(f"{JOURNAL} is damaged", cause=str(error), remedy="repeat the run") from error
