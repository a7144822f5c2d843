"""The frozen plan: everything that decides what a run sends and how it is judged.

It is the journal's first line; with the sealed chunks it determines every verdict.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum

import msgspec

from loadstone.stats.repeated import Stopping
from loadstone.stats.verdicts import FailOn

PLAN_VERSION = 3


class Frozen(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the plan's parts."""


class Control(StrEnum):
    """What a variant is there to show that nobody judges."""

    SILENCE = "silence"
    """A copy of before: nothing may be found."""
    SPEECH = "speech"
    """A copy of before with a known extra cost: it must be found."""


class PlannedVariant(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """A variant as it will run; `environment` holds names and choices, never secrets."""

    name: str
    label: str
    argv: list[str]
    toggles: dict[str, str]
    recipe: str
    provenance: dict[str, str]
    control: Control | None = None
    url: str = ""
    """Where it ran already; empty: it was started."""


class PlannedGeneration(Frozen, frozen=True, kw_only=True):
    """Who starts first, and who runs in which slot."""

    index: int
    start_order: list[int]
    """Variant indices in the order of their start."""
    slots: list[int]
    """Slot of each variant, by variant index; a track adds its own offset."""
    track: int = 0
    """The track that measures it; generations of different tracks go on at the same time."""


class Plan(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """A run, decided before its first request.

    Fields at their defaults are left out when written, so that a new field leaves old hashes as they were.
    """

    version: int
    loadstone_version: str
    title: str
    command: str
    scenario: str
    scenario_sha256: str
    size: str
    state: str
    users: int
    seed: int
    margin: float
    alpha: float
    error_margin: float
    budget_s: float
    generation_s: float
    warm_s: float
    gap_share: float
    max_generations: int
    looks: list[int]
    nominal_p: list[float]
    """Two-sided p-value below which a look decides, for one gating metric."""
    gating: list[str]
    """Metrics over all endpoints together, or of one: `ENDPOINT: METRIC`."""
    variants: list[PlannedVariant]
    generations: list[PlannedGeneration]
    fail_on: FailOn = FailOn.ESTIMATE
    """How sure a regression must be before it fails a build."""
    in_flight: int = 1
    """Pairs on the wire at once."""
    tracks: int = 1
    """Generations measured at once, each on CPU cores of its own where `pinned`."""
    pinned: bool = False
    pace: bool = False
    """Whether the pace of each track's core is sampled beside the requests."""
    steady: bool = False
    """Whether what differs between two starts of a server by chance is held alike for all variants."""
    lanes: tuple[str, ...] = ("probe", "pair")
    """Without the pair lane the exact facts decide."""
    noise_source: str = ""
    """Where the noise that the plan was made for is known from, in words; empty: told by nobody."""
    expected_effect: float | None = None
    """Change of the mean latency that the last look sees with a power of 80%, were that the noise."""
    stopping: Stopping = Stopping.SEQUENTIAL
    """By which looks it may end."""
    margins: dict[str, float] = {}
    """Margins of their own, by metric or by `ENDPOINT: METRIC`; all others have `margin`."""
    settle: dict[str, float] = {}
    """By gating metric: the change that its interval is to leave out before the data may end the run."""
    spike_share: float = 0.0
    """What the control that must be found costs more, as a share of each request's service time."""

    profile_s: float = 0.0
    """How long stacks are sampled after the last generation; 0: not at all."""

    @property
    def deployed(self) -> bool:
        """Whether the variants ran by themselves: generations are blocks of load, and no starts."""
        return any(one.url for one in self.variants)

    @property
    def judged(self) -> list[int]:
        """The variants that are compared with before: neither it nor controls."""
        return [index for index, one in enumerate(self.variants) if index and one.control is None]

    @property
    def hash(self) -> str:
        """Sixteen hex digits over the whole plan."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:16]
