"""The grammar of `loadstone.toml` and of a toggles file, as typed records.

What is checked here is shape; what it means is checked in `load`.
"""

from __future__ import annotations

import re
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from loadstone.config.locate import line_of
from loadstone.errors import ConfigurationError


class Table(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """Base of every table: unknown keys are errors."""


class RawExpectation(Table, frozen=True, kw_only=True):
    """`[NAME.claims.CHOICE]` or `[NAME.prices.CHOICE]`: what a comparison is expected to show."""

    before: str
    metric: str
    direction: str
    at_least: str = ""
    at_most: str = ""
    """One of both."""
    says: str = ""
    scenario: str | None = None
    endpoint: str | None = None
    size: str | None = None
    in_flight: int | None = None
    given: dict[str, str] = {}


class RawToggle(Table, frozen=True, kw_only=True):
    """`[NAME]` in a toggles file, or `[toggles.NAME]` in `loadstone.toml`."""

    choices: list[str]
    default: str
    env: str
    title: str = ""
    scope: str = "process"
    claim: str = ""
    price: str = ""
    claims: dict[str, dict[str, Any]] = {}
    prices: dict[str, dict[str, Any]] = {}
    """Read one by one, so that an error can name its line."""
    scenario: str | None = None
    ddl: dict[str, list[str]] = {}
    normalise: list[str] = []
    given: dict[str, str] = {}
    needs: dict[str, str] = {}
    """By choice: the environment variable without which it is not available here."""
    programs: dict[str, str] = {}
    """By choice: the program that must be installed for it."""


class RawRule(Table, frozen=True, kw_only=True):
    """`[rules.NAME]`: a named way in which payloads may differ."""

    ignore: list[str] = []
    unwrap: str | None = None
    common_prefix: bool = False
    not_modified: bool = False
    title: str = ""


class RawCompanion(Table, frozen=True, kw_only=True):
    """`[target.companions.NAME]`: a process that runs beside the server, such as a worker."""

    command: list[str]
    when: dict[str, str] = {}
    """Choices of toggles with which a variant needs it; none: every variant does."""
    ready: str = ""
    """What it writes once it is ready; empty: it is as soon as it runs."""


class RawTarget(Table, frozen=True, kw_only=True):
    """`[target]`: how to start a variant on a port."""

    command: list[str]
    directory: str = "."
    health: str = "/"
    start_timeout: str = "30s"
    python: str | None = None
    env: dict[str, str] = {}
    processes_env: str = "WEB_CONCURRENCY"
    """Environment variable that tells the server how many processes to run."""
    install: list[list[str]] = []
    """Commands that fill an environment for a commit; `{python}` is its interpreter."""
    lock: list[str] = msgspec.field(default_factory=lambda: ["requirements*.txt", "pyproject.toml", "*.lock"])
    """Globs of the files that pin what they install."""
    companions: dict[str, RawCompanion] = {}
    """Processes that run beside the server, by name."""
    toggles: str | None = None
    """Path of a toggles file, for apps that read the same declaration."""


class RawVariant(Table, frozen=True, kw_only=True):
    """`[variants.NAME]`: a deployment that runs by itself."""

    url: str
    health: str = ""
    """Path that answers 200; empty: any answer of `/` will do."""


class RawData(Table, frozen=True, kw_only=True):
    """`[data]`: what a variant's database holds."""

    prepare: list[list[str]] = []
    sizes: list[str] = msgspec.field(default_factory=lambda: ["default"])
    size: str | None = None
    seed: int = 1
    inputs: list[str] = []
    """Globs of files that shape the data; a change makes a new template."""
    postgres: bool = True
    redis: bool = True


class RawCompare(Table, frozen=True, kw_only=True):
    """`[compare]`: defaults of `loadstone compare`."""

    scenario: str | None = None
    margin: str = "2%"
    alpha: str = "1%"
    budget: str = "2m"
    users: int = 1
    in_flight: int = 1
    tracks: int = 0
    pinned: bool = True
    steady: bool = True
    gating: list[str] = []
    reports: str = "reports"
    allowed_hosts: list[str] = []
    """Hosts beyond loopback that load may go to, or data, once the command line confirms them."""


class RawLoad(Table, frozen=True, kw_only=True):
    """`[load]`: defaults of `loadstone load`, and of comparisons under load."""

    rate: str | None = None
    duration: str = "1m"
    warm_up: str = "3s"
    thresholds: list[str] = []
    most_users: int = 1000
    most_backlog: int = 10_000
    drain: str = "10s"
    most_lag: str = "10ms"
    """Later work than this (p99) makes a run invalid."""
    most_rate: float = 20_000.0
    """Arrivals per second above which nothing is offered, by any command."""
    most_duration: str = "6h"
    """Time above which no load is offered, by any command."""


class RawGateExperiment(Table, frozen=True, kw_only=True):
    """`[gate.experiments.NAME]`: one comparison of base and head, and what must hold."""

    scenario: str | None = None
    lane: str = "pair"
    size: str | None = None
    budget: str | None = None
    users: int | None = None
    rate: str | None = None
    """Arrivals per second, in the load lane."""
    held: list[str] = msgspec.field(default_factory=list, name="with")
    gating: list[str] = []
    margin: str | None = None
    margins: dict[str, str] = {}
    """By metric, or by `ENDPOINT: METRIC`, which then decides too."""
    budgets: list[str] | None = None
    exact: list[str] | None = None
    ignore: list[str] | None = None
    """Keys in which payloads may differ."""


class RawGate(Table, frozen=True, kw_only=True):
    """`[gate]`: what `loadstone gate` runs, and what each experiment has unless it says otherwise."""

    experiments: dict[str, dict[str, Any]] = {}
    """Read one by one, so that an error can name its line."""
    budget: str = "10m"
    """Time for all experiments together."""
    inconclusive: str = "tell"
    fail_on: str = "estimate"
    accepted: str = "loadstone.accepted.toml"
    budgets: list[str] = []
    exact: list[str] | None = None
    ignore: list[str] = []


class RawMicro(Table, frozen=True, kw_only=True):
    """`[micro]`: what `loadstone micro` runs."""

    command: list[str] = msgspec.field(
        default_factory=lambda: [
            *("{python}", "-m", "pytest", "{benchmarks}", "-q", "-p", "no:cacheprovider", "-p", "no:django"),
            *(
                "--benchmark-only",
                "--benchmark-disable-gc",
                "--benchmark-max-time=0.25",
                "--benchmark-json={json}",
            ),
        ]
    )
    benchmarks: str = "benchmarks/micro"
    directory: str = "."
    """Working folder of each side, in its own files."""
    env: dict[str, str] = {}
    """`{root}` is the side's working folder."""
    generations: int = 8
    margin: str = "2%"
    count_command: list[str] = msgspec.field(
        default_factory=lambda: [
            *("{python}", "-m", "pytest", "{benchmarks}", "-q", "-p", "no:cacheprovider", "-p", "no:django"),
            *("-p", "no:benchmark", "-p", "loadstone_counting"),
        ]
    )
    """Runs the benchmarks where instructions are counted."""
    count_tolerance: str = "0.5%"
    """Change of a count up to which it is the same."""


class RawConfig(Table, frozen=True, kw_only=True):
    """A whole `loadstone.toml`, but for `[toggles]` and `[rules]`, whose tables are read one by one."""

    target: RawTarget = msgspec.field(default_factory=lambda: RawTarget(command=[]))
    """Needed by whatever is started; deployments alone are compared without."""
    variants: dict[str, RawVariant] = {}
    data: RawData = msgspec.field(default_factory=RawData)
    compare: RawCompare = msgspec.field(default_factory=RawCompare)
    load: RawLoad = msgspec.field(default_factory=RawLoad)
    gate: RawGate = msgspec.field(default_factory=RawGate)
    micro: RawMicro = msgspec.field(default_factory=RawMicro)


T = TypeVar("T")


def read_toml(path: Path) -> tuple[dict[str, Any], str]:
    """Return the parsed file and its text.

    Raises:
        ConfigurationError: unreadable, not UTF-8, or malformed; names file and line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read", cause=str(error)) from error
    try:
        return tomllib.loads(text), text
    except tomllib.TOMLDecodeError as error:
        match = re.search(r"at line (\d+)", str(error))
        line = match[1] if match else str(max(1, text.count("\n")))
        raise ConfigurationError(
            f"{path.name} is not valid TOML", cause=f"{path}:{line}: {error}", remedy="mend that line"
        ) from error
    except (RecursionError, ValueError) as error:  # nested too deeply; a number of thousands of digits
        raise ConfigurationError(f"{path.name} is not valid TOML", cause=f"{path}: {error}") from error


def convert(data: Any, kind: type[T], path: Path, text: str, *, below: tuple[str, ...] = ()) -> T:  # noqa: ANN401 - TOML values
    """Return `data` as `kind`; raises `ConfigurationError` with file and line."""
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        problem, _, where = str(error).partition(" - at `")
        keys = tuple(re.findall(r"[A-Za-z0-9_-]+", where.rstrip("`").replace("[...]", "")))
        unknown = re.search(r"unknown field `([^`]+)`", problem)
        keys = (*below, *keys, *([unknown[1]] if unknown else []))
        line = line_of(text, keys)
        raise ConfigurationError(
            f"{path.name}: {problem[0].lower()}{problem[1:]}" + (f" at {'.'.join(keys)}" if keys else ""),
            cause=f"{path}:{line}",
            remedy=_known_fields(kind, unknown) or "see the reference in docs/configuration.md",
        ) from error


def _known_fields(kind: type[Any], unknown: re.Match[str] | None) -> str:
    if unknown is None:
        return ""
    names: list[str] = []
    for table in (
        kind,
        RawConfig,
        RawTarget,
        RawCompanion,
        RawVariant,
        RawData,
        RawCompare,
        RawLoad,
        RawGate,
        RawGateExperiment,
        RawMicro,
        RawToggle,
        RawExpectation,
        RawRule,
    ):
        if isinstance(table, type) and issubclass(table, msgspec.Struct):
            names += [name for name in table.__struct_fields__ if name not in names]
    close = get_close_matches(unknown[1], names, n=1)
    return f"did you mean {close[0]!r}?" if close else ""
