"""From the words of the command line to load that is offered to one variant."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from loadstone.config.compile import compile_variant
from loadstone.config.crew import Crew, CrewWish, compile_crew
from loadstone.config.limits import require_within
from loadstone.config.load import Project
from loadstone.config.model import Variant
from loadstone.config.rates import Rate, parse_rate
from loadstone.config.thresholds import Threshold, parse_thresholds
from loadstone.config.units import parse_duration
from loadstone.errors import ConfigurationError

MOST_USERS = 100_000


@dataclass(frozen=True, slots=True)
class LoadWish:
    """What the command line asks for; None leaves it to `loadstone.toml`."""

    choices: str | None = None
    held: tuple[str, ...] = ()
    scenario: str | None = None
    size: str | None = None
    seed: int = 1
    rate: str | None = None
    users: int | None = None
    spawn_rate: float | None = None
    duration: str | None = None
    warm_up: str | None = None
    thresholds: tuple[str, ...] = ()
    most_users: int | None = None
    tags: tuple[str, ...] = ()
    exclude_tags: tuple[str, ...] = ()
    crew: CrewWish = field(default_factory=CrewWish)


@dataclass(frozen=True, slots=True)
class Offer:
    """What is sent, when, and what must hold; open where there is a rate, closed where there are users."""

    rate: Rate | None
    users: int
    """Of the closed model."""
    spawn_rate: float
    duration_s: float
    warm_s: float
    thresholds: tuple[Threshold, ...]
    most_users: int
    """Of the open model's pool."""
    most_backlog: int
    drain_s: float
    most_lag_us: float
    """Of the p99 with which work is handed out; above it the run is invalid."""
    tags: tuple[str, ...] = ()
    exclude_tags: tuple[str, ...] = ()
    crew: Crew = field(default_factory=Crew)
    """Who sends it."""


@dataclass(frozen=True, slots=True)
class LoadExperiment:
    """One variant under offered load."""

    title: str
    variant: Variant
    scenario: Path
    size: str
    seed: int
    offer: Offer


def compile_load(project: Project, wish: LoadWish) -> LoadExperiment:
    """Return the experiment that `wish` describes; raises `ConfigurationError`."""
    variant, scenario, size = compile_variant(project, wish.choices, wish.held, wish.scenario, wish.size)
    offer = compile_offer(project, wish)
    what = offer.rate.text if offer.rate else f"{offer.users} users"
    return LoadExperiment(f"{variant.label} at {what}", variant, scenario, size, wish.seed, offer)


def compile_offer(project: Project, wish: LoadWish) -> Offer:
    """Return what is offered, from the command line and `[load]`; raises `ConfigurationError`."""
    raw = project.raw.load
    if wish.rate is not None and wish.users is not None:
        raise ConfigurationError(
            "load is offered by a rate or by users, not by both",
            remedy="--rate is the open model, in which the plan decides; --users the closed one",
        )
    text = None if wish.users is not None else wish.rate or raw.rate
    if text is None and wish.users is None:
        raise ConfigurationError(
            "there is no load", remedy="add --rate 200, or --users 20 for the closed model, or [load] rate"
        )
    if (wish.tags or wish.exclude_tags) and text is not None:
        raise ConfigurationError("tags choose among the tasks of the closed model", remedy="add --users")
    rate = parse_rate(text) if text is not None else None
    duration_s = _duration(project, wish, rate)
    require_within(project, rps=rate.peak_rps if rate is not None else 0.0, seconds=duration_s)
    return Offer(
        rate=rate,
        users=_count("users", wish.users or 0, 0),
        spawn_rate=wish.spawn_rate or float(wish.users or 1),
        duration_s=duration_s,
        warm_s=_warm_s(wish.warm_up, raw.warm_up, rate),
        thresholds=tuple(
            threshold
            for text in wish.thresholds or tuple(raw.thresholds)
            for threshold in parse_thresholds(text)
        ),
        most_users=_count("most users", wish.most_users or raw.most_users, 1),
        most_backlog=max(0, raw.most_backlog),
        drain_s=parse_duration(raw.drain),
        most_lag_us=parse_duration(raw.most_lag) * 1e6,
        tags=wish.tags,
        exclude_tags=wish.exclude_tags,
        crew=compile_crew(wish.crew, project.raw.compare.allowed_hosts),
    )


def _duration(project: Project, wish: LoadWish, rate: Rate | None) -> float:
    """Return how long it lasts: as told, or as long as the rate's plan, or `load.duration`."""
    planned = math.inf if rate is None else rate.duration_s
    if wish.duration is not None:
        return min(planned, parse_duration(wish.duration))
    return planned if math.isfinite(planned) else parse_duration(project.raw.load.duration)


def _warm_s(wished: str | None, default: str, rate: Rate | None) -> float:
    """Return the length of the warm-up: none before recorded traffic, whose first requests it would take."""
    if wished is None and rate is not None and rate.replayed:
        return 0.0
    return parse_duration(wished or default)


def _count(what: str, count: int, least: int) -> int:
    if not least <= count <= MOST_USERS:
        raise ConfigurationError(
            f"{count} {what} cannot be run", remedy=f"choose between {max(least, 1)} and {MOST_USERS}"
        )
    return count
