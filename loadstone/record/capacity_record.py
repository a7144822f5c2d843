"""What a search for capacity keeps: its plan, and a line for each search and each window.

The folder's journal opens with the plan; the recordings of the windows lie beside it,
named by their hash. The result is a function of these alone: the verdict on a window
follows from its recordings, and the next rate follows from the verdicts.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from loadstone.errors import MeasurementError
from loadstone.record.load_record import BlockLine, Frozen

CAPACITY_JOURNAL = "capacity.jsonl"


class CapacityVariant(Frozen, frozen=True, kw_only=True):
    """A variant of the plan."""

    label: str
    toggles: dict[str, str]


class CapacityPlan(Frozen, frozen=True, kw_only=True):
    """A search, decided before its first request."""

    loadstone_version: str
    title: str
    command: str
    variants: list[CapacityVariant]
    """The baseline comes first."""
    processes: list[int]
    """Numbers of server processes; empty: as the target starts by itself."""
    scenario: str
    scenario_sha256: str
    size: str
    seed: int
    objective: list[str]
    poisson: bool
    """Arrivals at random, instead of evenly spaced ones."""
    window_s: float
    """Of a window with enough requests; at low rates windows are longer."""
    lead_s: float
    """Load at a window's rate before it, which is not measured."""
    warm_s: float
    drain_s: float
    budget_s: float
    repeats: int
    """Most generations of each number of processes: a search of each variant in every one."""
    max_rps: float | None
    resolution: float
    """Relative width of the bracket at which a search ends."""
    level: float
    margin: float
    for_rps: float | None
    most_users: int
    most_backlog: int
    most_lag_us: float
    workers: int = 1
    """Generator processes that share the arrivals."""
    target_cores: list[int] = msgspec.field(default_factory=list)
    """On which the target is kept; empty: it shares all of them with the generators."""

    @property
    def sizes(self) -> list[int]:
        """Numbers of processes, 0 standing for as many as the target starts by itself."""
        return self.processes or [0]


class SearchLine(Frozen, frozen=True, kw_only=True, tag="search", tag_field="kind"):
    """A search begins, on a variant that was started afresh."""

    generation: int
    variant: int
    processes: int
    server_processes: int
    """Seen in the server's process tree."""
    start_rps: float
    least_rps: float
    """Below it a window would be too long to tell the objective."""
    most_rps: float
    bound_by_generator: bool
    """Whether `most_rps` is what this generator can send, rather than what was allowed."""
    growth: float
    requests_per_arrival: float
    """Of the warm-up."""
    service_us: float
    """Mean service time of the warm-up."""


class WindowLine(Frozen, frozen=True, kw_only=True, tag="window", tag_field="kind"):
    """A window is over."""

    generation: int
    variant: int
    rate_rps: float
    seconds: float
    at_s: float
    """When it began, since the run's start."""
    requests_per_arrival: float
    """Of the warm-up: journeys have more than one."""
    block: BlockLine


class GeneratorLine(Frozen, frozen=True, kw_only=True, tag="generator", tag_field="kind"):
    """What the self-test said that this generator can send."""

    sendable_rps: float | None


class CapacityPlanLine(Frozen, frozen=True, kw_only=True, tag="plan", tag_field="kind"):
    """The plan that everything below follows."""

    plan: CapacityPlan


class CapacityEndLine(Frozen, frozen=True, kw_only=True, tag="end", tag_field="kind"):
    """Why it ended."""

    status: str
    stop_reason: str
    at: str
    duration_s: float
    cause: str = ""
    other_runs: int = 0
    """Most other runs that went on at once on this machine."""


CapacityLine = CapacityPlanLine | GeneratorLine | SearchLine | WindowLine | CapacityEndLine


def read_capacity(folder: Path) -> list[CapacityLine]:
    """Return the lines of a search's journal; a torn last line is dropped.

    Raises:
        MeasurementError: there is none, or it is damaged.
    """
    decoder = msgspec.json.Decoder(CapacityLine)
    try:
        *whole, _torn = (folder / CAPACITY_JOURNAL).read_bytes().split(b"\n")
        return [decoder.decode(line) for line in whole]
    except OSError as error:
        raise MeasurementError(f"{folder} holds no search for capacity", cause=str(error)) from error
    except msgspec.DecodeError as error:
        raise MeasurementError(
            f"{CAPACITY_JOURNAL} is damaged", cause=str(error), remedy="repeat the run"
        ) from error
