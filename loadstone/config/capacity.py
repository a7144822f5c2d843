"""From the words of the command line to a search for capacity."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from loadstone.config.compile import compile_variants
from loadstone.config.crew import Crew, CrewWish, compile_crew
from loadstone.config.limits import require_within
from loadstone.config.load import Project
from loadstone.config.model import Variant
from loadstone.config.thresholds import Threshold, Unit, parse_thresholds
from loadstone.config.units import parse_duration, parse_share
from loadstone.errors import ConfigurationError

ALONE = Crew()
MOST_VARIANTS = 4
"""Resident at once, so that their windows take turns."""
MOST_SIZES = 6
MOST_PROCESSES = 256
FEWEST_SIZES = 3
"""Different numbers of processes from which the scalability law can be told."""
SHORTEST_S, LONGEST_S = 1.0, 60.0
LEAST_WINDOW_S = 5.0
LEAST_ERRORS = "errors<1%"
"""Added to an objective of times alone: a server that refuses its load at once would keep any of them."""
HIDDEN_SHARE = 0.03
"""Overload that a window may hide: a queue is as long as the limit after limit / overload seconds."""


@dataclass(frozen=True, slots=True)
class CapacityWish:
    """What the command line asks for; None leaves it to `loadstone.toml` or to the objective."""

    choices: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    scenario: str | None = None
    size: str | None = None
    seed: int = 1
    objective: tuple[str, ...] = ()
    poisson: bool = False
    window: str | None = None
    budget: str = "5m"
    repeats: int = 5
    max_rate: float | None = None
    margin: str = "5%"
    processes: str | None = None
    for_rate: float | None = None
    most_users: int | None = None
    crew: CrewWish = field(default_factory=CrewWish)
    pinned: bool = False
    allow_identical: bool = False


@dataclass(frozen=True, slots=True)
class CapacityExperiment:
    """Variants whose capacity is searched for, and how."""

    title: str
    variants: tuple[Variant, ...]
    """The baseline comes first."""
    processes: tuple[int, ...]
    """Numbers of server processes to measure; empty: as the target starts by itself."""
    processes_env: str
    scenario: Path
    size: str
    seed: int
    objective: tuple[Threshold, ...]
    poisson: bool
    window_s: float
    warm_s: float
    budget_s: float
    repeats: int
    max_rps: float | None
    margin: float
    for_rps: float | None
    most_users: int
    most_backlog: int
    most_lag_us: float
    crew: Crew = ALONE
    """Who sends the load."""
    pinned: bool = False
    """Whether the generators have cores of their own, and the target the others."""


def compile_capacity(project: Project, wish: CapacityWish) -> CapacityExperiment:
    """Return the search that `wish` describes; raises `ConfigurationError`."""
    choices: Sequence[str | None] = wish.choices or (None,)
    if len(choices) > MOST_VARIANTS:
        raise ConfigurationError(
            f"{len(choices)} variants cannot take turns",
            cause=f"all of them run at once, and there is room for {MOST_VARIANTS}",
            remedy="name fewer, the baseline first",
        )
    variants, scenario, size = compile_variants(project, choices, wish.held, wish.scenario, wish.size)
    _refuse_identical(variants, allowed=wish.allow_identical)
    objective = _objective(project, wish.objective)
    processes = _processes(wish.processes)
    raw = project.raw.load
    budget_s, max_rps = parse_duration(wish.budget), _positive("--max-rate", wish.max_rate)
    require_within(project, rps=max_rps or 0.0, seconds=budget_s)
    return CapacityExperiment(
        title=" and ".join(dict.fromkeys(each.label for each in variants)),
        variants=tuple(variants),
        processes=processes,
        processes_env=project.raw.target.processes_env,
        scenario=scenario,
        size=size,
        seed=wish.seed,
        objective=objective,
        poisson=wish.poisson,
        window_s=_window_s(wish.window, objective),
        warm_s=parse_duration(raw.warm_up),
        budget_s=budget_s,
        repeats=_repeats(wish.repeats),
        max_rps=max_rps or raw.most_rate,
        margin=parse_share(wish.margin),
        for_rps=_for_rps(wish.for_rate, processes),
        most_users=wish.most_users or raw.most_users,
        most_backlog=max(0, raw.most_backlog),
        most_lag_us=parse_duration(raw.most_lag) * 1e6,
        crew=_crew(wish.crew, project),
        pinned=wish.pinned,
    )


def with_processes(variant: Variant, environment: str, processes: int) -> Variant:
    """Return `variant` told by an environment variable to run so many server processes."""
    return dataclasses.replace(variant, env={**variant.env, environment: str(processes)})


def longest_us(objective: Sequence[Threshold]) -> float:
    """Return the largest time that the objective allows, in microseconds; 0 where it limits none."""
    return max((one.limit for one in objective if one.unit is Unit.MICROSECONDS), default=0.0)


def _objective(project: Project, texts: tuple[str, ...]) -> tuple[Threshold, ...]:
    written = texts or tuple(project.raw.load.thresholds)
    found = tuple(one for text in written for one in parse_thresholds(text))
    if not found:
        raise ConfigurationError(
            "there is no objective to keep",
            cause="a capacity is the most load that keeps one",
            remedy="add --slo 'p99<200ms, errors<0.1%', or load.thresholds in loadstone.toml",
        )
    if not any(one.measure in {"errors", "class", "rate"} for one in found):
        found += parse_thresholds(LEAST_ERRORS)
    return found


def _refuse_identical(variants: Sequence[Variant], *, allowed: bool) -> None:
    """Two names of the same variant are a mistake, unless the noise is what is asked for."""
    for place, one in enumerate(variants):
        for other in variants[:place]:
            if one.toggles == other.toggles and not allowed:
                raise ConfigurationError(
                    f"{other.label} and {one.label} are the same variant",
                    remedy="name different choices, or add --allow-identical to see the noise",
                )


def _window_s(wished: str | None, objective: Sequence[Threshold]) -> float:
    """Return a window's length: as told, or so long that it hides no more than `HIDDEN_SHARE` of overload."""
    if wished is None:
        wanted = math.ceil(longest_us(objective) / 1e6 / HIDDEN_SHARE)
        return min(max(LEAST_WINDOW_S, float(wanted)), LONGEST_S)
    seconds = parse_duration(wished)
    if not SHORTEST_S <= seconds <= LONGEST_S or seconds != int(seconds):
        raise ConfigurationError(
            f"windows of {wished} cannot be measured",
            remedy=f"choose whole seconds between {SHORTEST_S:.0f}s and {LONGEST_S:.0f}s",
        )
    return seconds


def _processes(text: str | None) -> tuple[int, ...]:
    if text is None:
        return ()
    try:
        numbers = sorted({int(part) for part in text.split(",")})
    except ValueError:
        numbers = []
    if not numbers or numbers[0] < 1 or numbers[-1] > MOST_PROCESSES or len(numbers) > MOST_SIZES:
        raise ConfigurationError(
            f"{text!r} is no list of numbers of processes",
            remedy=f"write it like 1,2,4: at most {MOST_SIZES} numbers, none above {MOST_PROCESSES}",
        )
    return tuple(numbers)


def _for_rps(rate: float | None, processes: Sequence[int]) -> float | None:
    if rate is not None and len(processes) < FEWEST_SIZES:
        raise ConfigurationError(
            "how many processes a rate needs cannot be told from here",
            cause=f"the scalability law needs {FEWEST_SIZES} different numbers of processes",
            remedy="add --processes 1,2,4",
        )
    return _positive("--for-rate", rate)


def _repeats(count: int) -> int:
    fewest, most = 1, 100
    if not fewest <= count <= most:
        raise ConfigurationError(
            f"{count} searches cannot be made",
            remedy=f"choose between {fewest} and {most} with --repeats",
        )
    return count


def _crew(wish: CrewWish, project: Project) -> Crew:
    if wish.web:
        raise ConfigurationError(
            "the web UI shows no search", remedy="leave out --web; the progress tells every window"
        )
    return compile_crew(wish, project.raw.compare.allowed_hosts)


def _positive(what: str, value: float | None) -> float | None:
    if value is not None and not (value > 0 and math.isfinite(value)):
        raise ConfigurationError(f"{what} {value:g} is no rate", remedy="give requests per second above 0")
    return value
