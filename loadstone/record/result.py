"""The result of a run: a versioned record, written to `result.json`.

The JSON Schema published in `docs/` is made from these types; `report` renders
them and nothing else. Latencies are microseconds, CPU is seconds, effects are
fractions (-0.25 is "25% less"), times of day are ISO 8601 in UTC.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import msgspec

from loadstone.record.base import Record
from loadstone.record.plan import Control
from loadstone.record.priced import Price, SlowRequest
from loadstone.record.probed import FactChange, Probe
from loadstone.record.profiled import Profile
from loadstone.stats.repeated import Stopping
from loadstone.stats.verdicts import Verdict

SCHEMA_VERSION = "1.4"
"""Major changes when an older reader would misread; minor when fields are added."""


class RunStatus(StrEnum):
    """How a run ended."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    INVALID = "invalid"


class CheckStatus(StrEnum):
    """Outcome of one validity or quality check."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class RunInfo(Record, frozen=True, kw_only=True):
    """Identity of the run and how to repeat it."""

    id: str
    started_at: str
    finished_at: str
    status: RunStatus
    stop_reason: str
    """Why measuring ended: every gating metric decided, budget spent, interrupted, …"""
    command: str
    """The exact command that reproduces the run."""
    seed: int
    plan_hash: str
    loadstone_version: str
    duration_s: float


class ExperimentInfo(Record, frozen=True, kw_only=True):
    """What was compared and under which rules."""

    title: str
    scenario: str
    size: str
    state: str
    users: int
    lanes: list[str]
    margin: float
    alpha: float
    budget_s: float
    max_generations: int
    looks: list[int]
    generation_s: float
    stopping: Stopping = Stopping.SEQUENTIAL
    """By planned looks with a planned end, or at any time."""


class VariantInfo(Record, frozen=True, kw_only=True):
    """One side of the comparison; the first is the baseline."""

    name: str
    label: str
    toggles: dict[str, str] = {}
    recipe: str = ""
    provenance: dict[str, str] = {}
    control: Control | None = None
    """What it was there to show, where it is not judged."""


class Effect(Record, frozen=True, kw_only=True):
    """An estimate with its interval.

    `kind` is `ratio` (after/before - 1) or `difference` (after - before, in `unit`).
    """

    kind: str
    estimate: float
    low: float
    high: float
    level: float
    """Confidence level of [low, high], multiplicity and looks included."""


class Look(Record, frozen=True, kw_only=True):
    """What a contrast's interval was at one look at the data."""

    generations: int
    effect: Effect


class Contrast(Record, frozen=True, kw_only=True):
    """One metric of one endpoint (or of all together), after against before."""

    metric: str
    unit: str
    direction: str
    """`lower` or `higher`: which way is better."""
    lane: str
    endpoint: str | None
    """None: all endpoints together."""
    gating: bool
    baseline: str
    variant: str
    available: bool
    unavailable_reason: str = ""
    before: float | None = None
    after: float | None = None
    effect: Effect | None = None
    verdict: Verdict | None = None
    detected: bool | None = None
    p_value: float | None = None
    """Two-sided, of t(df), at the look that judges."""
    q_value: float | None = None
    """Of a contrast that does not gate: its p-value over all looks, adjusted for false discoveries among
    all such (Benjamini & Hochberg). Detected where it is at most alpha."""
    generations: int = 0
    df: int = 0
    residual_sd: float | None = None
    start_effect: float | None = None
    margin: float = 0.0
    smallest_detectable: float | None = None
    more_minutes: float | None = None
    """For an inconclusive contrast: further measuring that would likely settle it."""
    looks: list[Look] = []
    """The interval at every look, the last included, where recorded: how it narrowed."""


class ControlFinding(Record, frozen=True, kw_only=True):
    """What one deciding metric said of a control, judged as the metric is for *after*.

    `silence`: a copy of *before*; `fail` where it was found better or worse.
    `speech`: a copy with a known extra cost; `warn` where no change was found, `fail`
    where the interval does not hold the change that there was.
    """

    control: Control
    status: CheckStatus
    truth: float | None
    """The change that there was, as `contrast` estimates it; None where the metric is unavailable."""
    contrast: Contrast


class GenerationInfo(Record, frozen=True, kw_only=True):
    """One fresh start of every variant: the unit of inference."""

    index: int
    start_order: list[str]
    slots: dict[str, int]
    pairs: int
    duration_s: float
    effects: dict[str, float]
    """Per gating metric: log ratio (or difference), after against before."""
    levels: dict[str, dict[str, float]] = {}
    """Per gating metric: each variant's own value."""
    steal: float | None = None
    generator_cpu: float | None = None
    plan_fingerprints: dict[str, str] = {}
    ended_at: str = ""
    """When its timed part was over; empty where not recorded."""
    memory_bytes: dict[str, int] = {}
    """Of each variant's server processes when it was over; empty where not recorded."""


class Distribution(Record, frozen=True, kw_only=True):
    """Service times of one endpoint on one variant, over all generations."""

    endpoint: str | None
    variant: str
    count: int
    mean_us: float
    quantiles: list[tuple[float, float]]
    """(q, microseconds), q ascending from 0 to at most 1 - 1/count."""


class OutcomeCount(Record, frozen=True, kw_only=True):
    """How many requests of an endpoint ended how, on one variant."""

    endpoint: str
    variant: str
    outcome: str
    count: int


class Check(Record, frozen=True, kw_only=True):
    """A validity or quality check of the measurement itself."""

    name: str
    status: CheckStatus
    message: str
    remedy: str = ""
    value: float | None = None


class Machine(Record, frozen=True, kw_only=True):
    """Fingerprint of the machine; results from unlike machines are refused, not compared."""

    fingerprint: str
    cpu_model: str
    cores: int
    memory_bytes: int
    kernel: str
    python: str
    facts: dict[str, str] = {}
    """Versions of PostgreSQL, Redis, Locust, clock source, governor, …"""


class UserSequence(Record, frozen=True, kw_only=True):
    """The request sequence of one user, hashed so that two runs can be held together."""

    user: int
    steps: int
    """Requests of this user in the first generation."""
    prefix_steps: int
    hash: str
    """Over the first `prefix_steps` requests: method, name and path, in order."""
    checkpoints: dict[str, str] = {}
    """The same hash after 1, 2, 4, 8, … requests."""


class Sequence(Record, frozen=True, kw_only=True):
    """Hash of what was sent, equal in two runs with one seed."""

    hash: str
    users: list[UserSequence]


class Overall(Record, frozen=True, kw_only=True):
    """The run's verdict, as one line for people and one code for machines."""

    verdict: Verdict
    headline: str
    reasons: list[str]
    exit_code: int


class Result(Record, frozen=True, kw_only=True):
    """Everything a renderer or a gate needs to know of a run."""

    schema_version: Annotated[str, msgspec.Meta(pattern=r"^1\.\d+$")]
    run: RunInfo
    experiment: ExperimentInfo
    variants: list[VariantInfo]
    verdict: Overall
    contrasts: list[Contrast]
    generations: list[GenerationInfo]
    distributions: list[Distribution]
    outcomes: list[OutcomeCount]
    probe: Probe | None
    facts: list[FactChange] = []
    """Exact facts per request, compared."""
    prices: list[Price] | None = None
    """Everything that got worse; None in results of version 1.2 and before, which did not gather it."""
    slowest: list[SlowRequest] = []
    """At most 20 timed requests of each variant, the slowest first; those of the probe are in `probe`."""
    profile: Profile | None = None
    """None where no stacks were sampled."""
    controls: list[ControlFinding] = []
    """What the run showed of itself; empty without controls."""
    checks: list[Check]
    machine: Machine
    sequence: Sequence | None


def encode(result: Result) -> bytes:
    """Return `result` as indented JSON, UTF-8, keys in declaration order."""
    return msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n"


def decode(data: bytes) -> Result:
    """Parse `result.json`; raises `msgspec.ValidationError` with the offending path."""
    return msgspec.json.decode(data, type=Result)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of `result.json`."""
    schema = msgspec.json.schema(Result)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Loadstone result", **schema}
