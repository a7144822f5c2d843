"""What an experiment is made of, as frozen values without behaviour."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

from loadstone.config.expectations import Expectation
from loadstone.record.plan import Control
from loadstone.stats.repeated import Stopping
from loadstone.stats.verdicts import FailOn

ANY_ANSWER = "*"
"""A health path that no request has: any answer will do, of an app of which nothing is known yet."""


class Scope(StrEnum):
    """Where a toggle acts: in the server's process, or in the database schema."""

    PROCESS = "process"
    SCHEMA = "schema"


@dataclass(frozen=True, slots=True)
class Toggle:
    """One named choice of the target, declared once in a toggles file."""

    name: str
    choices: tuple[str, ...]
    default: str
    env: str
    scope: Scope
    title: str
    claim: str
    price: str
    scenario: str | None = None
    """Scenario that shows this toggle; used when the user names none."""
    ddl: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """SQL per choice, run on the variant's own clone (schema toggles only)."""
    normalise: tuple[str, ...] = ()
    """Names of payload rules under which its choices must return equal payloads."""
    given: dict[str, str] = field(default_factory=dict)
    """Other toggles, held at these choices while this one is compared and the user names none."""
    claims: dict[str, Expectation] = field(default_factory=dict)
    """By choice: what it gains."""
    prices: dict[str, Expectation] = field(default_factory=dict)
    """By choice: what it costs, where that can be measured."""
    needs: dict[str, str] = field(default_factory=dict)
    """By choice: the environment variable without which it is not available here."""
    programs: dict[str, str] = field(default_factory=dict)
    """By choice: the program that must be on the path of programs for it."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a variant's database holds."""

    prepare: tuple[tuple[str, ...], ...]
    """Commands that migrate and seed, run with the variant's environment."""
    size: str
    seed: int
    ddl: tuple[str, ...] = ()
    inputs: str = ""
    """Digest of the files that shape the data (migrations, seeding code)."""

    @property
    def key(self) -> str:
        """Twelve hex digits that name the template built from this recipe."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a variant's files are, where that is not the project as it stands."""

    root: Path
    """The project's folder, as of that commit."""
    commit: str
    provenance: dict[str, str]
    python: Path | None = None
    """An interpreter with what this source pins; None: the project's own."""


@dataclass(frozen=True, slots=True)
class Companion:
    """A process that runs beside a variant's server for as long as that does, such as a worker."""

    name: str
    argv: tuple[str, ...]
    """With the placeholders of a variant's own; `{folder}` is one of its own."""
    ready: str = ""
    """What it writes once it is ready; empty: it is as soon as it runs."""


@dataclass(frozen=True, slots=True)
class Variant:
    """Everything needed to run one side of a comparison.

    `argv`, `env` values and recipe commands may hold the placeholders
    `{python}`, `{host}`, `{port}`, `{database_url}`, `{redis_url}`, `{folder}` (a
    scratch folder of the slot), `{size}` and `{seed}`.
    """

    name: str
    label: str
    argv: tuple[str, ...]
    directory: Path
    env: dict[str, str]
    recipe: Recipe
    health_path: str
    python: Path
    start_timeout_s: float = 30.0
    toggles: dict[str, str] = field(default_factory=dict)
    provenance: dict[str, str] = field(default_factory=dict)
    needs_postgres: bool = True
    needs_redis: bool = True
    companions: tuple[Companion, ...] = ()
    control: Control | None = None
    """What it is there to show, where it is not judged."""
    url: str = ""
    """Where it runs already, without a trailing slash; empty: it is started."""

    @property
    def asked_path(self) -> str:
        """The path by which it is asked whether it is there."""
        return "/" if self.health_path == ANY_ANSWER else self.health_path


@dataclass(frozen=True, slots=True)
class PayloadRule:
    """A named way in which two payloads may differ and still count as equal."""

    name: str
    ignore: tuple[str, ...] = ()
    """Object keys dropped wherever they occur."""
    unwrap: str | None = None
    """A top-level object that has this key is replaced by the key's value."""
    common_prefix: bool = False
    """Two top-level lists are compared over the shorter one's length."""
    not_modified: bool = False
    """A 304 without a body stands for the 200 that the client has kept."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """Scenario, variants, dataset size, lanes and margins of one comparison."""

    title: str
    scenario: Path
    variants: tuple[Variant, ...]
    """The baseline, named `before`, comes first."""
    size: str
    seed: int
    users: int = 1
    state: str = "warm"
    margin: float = 0.02
    """Smallest relative change that matters."""
    alpha: float = 0.01
    """False-alarm rate of the whole gate, all gating metrics together."""
    budget_s: float = 120.0
    max_generations: int = 0
    """0: planned from the budget."""
    rules: tuple[PayloadRule, ...] = ()
    gap_share: float = 0.1
    """Share of the pairs sent with quiet gaps."""
    in_flight: int = 1
    """Pairs on the wire at once."""
    tracks: int = 0
    """Generations measured at once; 0: as many as the machine has room for."""
    pinned: bool = True
    """Whether each track stays on CPU cores of its own."""
    steady: bool = True
    """Whether all servers of a generation share what else differs from start to start (hash seeds)."""
    gating: tuple[str, ...] = ()
    """Metrics that decide, of all endpoints or of one (`ENDPOINT: METRIC`); empty: those of the table."""
    margins: dict[str, float] = field(default_factory=dict)
    """Margins of their own, by the same names."""
    settle: dict[str, float] = field(default_factory=dict)
    """By gating metric: the change, as a fraction of *before*, that its interval is to leave out."""
    fail_on: FailOn = FailOn.ESTIMATE
    """How sure a regression must be before it fails a build."""
    lanes: tuple[str, ...] = ("probe", "pair")
    """Ways to observe, in their order."""
    stopping: Stopping = Stopping.SEQUENTIAL
    """By which looks a run may end; without a planned end, `budget_s` is a cap."""
    profile_s: float = 0.0
    """How long stacks are sampled after the last generation; 0: not at all."""

    @property
    def deployed(self) -> bool:
        """Whether its variants run by themselves, and nothing is started."""
        return any(variant.url for variant in self.variants)
