"""From the words of the command line to an experiment: variants, recipes, rules."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from loadstone.config.bounds import (
    parse_gating,
    parse_settle,
    require_in_flight,
    require_tracks,
    require_users,
)
from loadstone.config.controls import with_controls
from loadstone.config.limits import require_within
from loadstone.config.load import Project, suggest
from loadstone.config.model import Experiment, PayloadRule, Source, Variant
from loadstone.config.sides import all_choices, choices_of, parse_choices
from loadstone.config.units import parse_duration, parse_share
from loadstone.config.variants import variant_of
from loadstone.errors import ConfigurationError
from loadstone.stats.repeated import Stopping
from loadstone.stats.verdicts import FailOn

ANYTIME_CAP = "30m"
"""Budget of a run without a planned end, where none is given."""
PROFILE_S = 5.0
"""How long stacks are sampled, where they are."""
PROFILED_FROM_S = 60.0
"""Budget from which on they are by default: starting once more and sampling takes a sixth of it or less."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asks for; None leaves it to `loadstone.toml`."""

    before: str
    after: str
    held: tuple[str, ...] = ()
    scenario: str | None = None
    size: str | None = None
    budget: str | None = None
    margin: str | None = None
    alpha: str | None = None
    seed: int = 1
    users: int | None = None
    allow_identical: bool = False
    generations: int = 0
    in_flight: int | None = None
    tracks: int | None = None
    pinned: bool | None = None
    steady: bool | None = None
    gating: tuple[str, ...] = ()
    """Names of metrics, or `ENDPOINT: METRIC`, each also a list with commas."""
    margins: Mapping[str, float] = field(default_factory=dict)
    """Margins of their own, by the same names."""
    settle: tuple[str, ...] = ()
    """Changes that intervals are to leave out at the end, as `METRIC=CHANGE`."""
    rules: tuple[PayloadRule, ...] = ()
    """Ways in which payloads may differ, beside those of the toggles."""
    fail_on: FailOn = FailOn.ESTIMATE
    lane: str = "pair"
    """The last lane; the probe always comes first."""
    anytime: bool = False
    """No planned end; the budget is a cap."""
    profile: bool | None = False
    """Whether stacks are sampled after the last generation; None: from a budget of `PROFILED_FROM_S` on."""
    controls: bool = False
    """Whether a copy of before, and one that is slowed down, run beside the variants."""


def compile_experiment(
    project: Project, wish: Wish, sources: tuple[Source | None, Source | None] = (None, None)
) -> Experiment:
    """Return the experiment that `wish` describes; raises `ConfigurationError`.

    Args:
        project: whose toggles, data and scenarios these are.
        wish: what was asked for.
        sources: the commits that the sides name; None: the project as it stands.
    """
    named = [choices_of(project, wish.before), choices_of(project, wish.after)]
    toggles = sorted({name for side in named for name in side})
    sides = all_choices(project, named, _held(project, wish, toggles))
    commits = [source.commit if source else "" for source in sources]
    if sides[0] == sides[1] and commits[0] == commits[1] and not wish.allow_identical:
        what = "are the same commit and choices" if commits[0] else "set the same choices"
        raise ConfigurationError(
            "both variants are the same",
            cause=f"{wish.before} and {wish.after} {what}",
            remedy="name two different choices, or add --allow-identical to measure the noise",
        )
    size = _size(project, wish.size)
    secret = secrets.token_urlsafe(48)
    variants: tuple[Variant, ...] = (
        variant_of(project, "before", wish.before, sides[0], size, secret, sources[0]),
        variant_of(project, "after", wish.after, sides[1], size, secret, sources[1]),
    )
    return experiment_of(project, wish, variants, size, rules=_rules(project, sides), toggles=toggles)


def _held(project: Project, wish: Wish, compared: Sequence[str]) -> dict[str, str]:
    """Return what the wish holds on both sides; raises `ConfigurationError`."""
    held = parse_choices(project, ",".join(wish.held)) if wish.held else {}
    for name in held:
        if name in compared:
            raise ConfigurationError(
                f"toggle {name!r} is compared and held at once", remedy=f"leave out --with {name}=…"
            )
    return held


def experiment_of(
    project: Project,
    wish: Wish,
    variants: tuple[Variant, ...],
    size: str,
    *,
    rules: tuple[PayloadRule, ...] = (),
    toggles: Sequence[str] = (),
) -> Experiment:
    """Return the experiment of variants that are known; raises `ConfigurationError`.

    Args:
        project: whose defaults and scenarios these are.
        wish: what was asked for.
        variants: what is compared.
        size: of their data.
        rules: ways in which payloads may differ, beside those of the wish.
        toggles: that are compared, whose scenario is taken where none is named.
    """
    if wish.anytime and wish.lane != "pair":
        raise ConfigurationError(
            f"the {wish.lane} lane has an end of its own", remedy="leave out --anytime, or --lane"
        )
    own = project.raw.compare
    budget_s = parse_duration(wish.budget or (ANYTIME_CAP if wish.anytime else own.budget))
    require_within(project, seconds=budget_s)
    gating = parse_gating(wish.gating or tuple(own.gating))
    users = require_users(wish.users if wish.users is not None else project.raw.compare.users)
    in_flight = require_in_flight(
        wish.in_flight if wish.in_flight is not None else project.raw.compare.in_flight
    )
    lanes = ("probe",) if wish.lane == "probe" else ("probe", wish.lane)
    if wish.controls:
        variants = with_controls(variants, in_flight=in_flight, lanes=lanes)
    return Experiment(
        title=f"{wish.before} → {wish.after}",
        scenario=_scenario(project, wish.scenario, toggles),
        variants=variants,
        size=size,
        seed=wish.seed,
        users=max(users, in_flight),
        margin=parse_share(wish.margin or own.margin),
        alpha=parse_share(wish.alpha or own.alpha),
        budget_s=budget_s,
        max_generations=wish.generations,
        in_flight=in_flight,
        tracks=require_tracks(own.tracks if wish.tracks is None else wish.tracks),
        pinned=own.pinned if wish.pinned is None else wish.pinned,
        steady=own.steady if wish.steady is None else wish.steady,
        gating=gating,
        margins=dict(wish.margins),
        settle=parse_settle(wish.settle, gating, wish.lane),
        rules=(*rules, *wish.rules),
        fail_on=wish.fail_on,
        stopping=Stopping.ANYTIME if wish.anytime else Stopping.SEQUENTIAL,
        lanes=lanes,
        profile_s=_profile_s(wish, budget_s),
    )


def _profile_s(wish: Wish, budget_s: float) -> float:
    """Return how long stacks are sampled, 0 for not at all; raises `ConfigurationError`."""
    if wish.profile and wish.lane != "pair":
        raise ConfigurationError(
            f"the {wish.lane} lane samples no stacks", remedy="leave out --profile, or use the pair lane"
        )
    wanted = wish.profile if wish.profile is not None else budget_s >= PROFILED_FROM_S
    return PROFILE_S if wanted and wish.lane == "pair" else 0.0


def _rules(project: Project, sides: Sequence[Mapping[str, str]]) -> tuple[PayloadRule, ...]:
    """Return the rules declared by the toggles in which the sides differ, each once."""
    names: list[str] = []
    for name, toggle in project.toggles.items():
        if sides[0][name] != sides[1][name]:
            names += [rule for rule in toggle.normalise if rule not in names]
    return tuple(project.rules[name] for name in names)


def _scenario(project: Project, wished: str | None, toggles: Sequence[str]) -> Path:
    shown = [project.toggles[name].scenario for name in toggles if project.toggles[name].scenario]
    chosen = wished or next(iter(shown), None) or project.raw.compare.scenario
    if chosen is None:
        raise ConfigurationError("no scenario is named", remedy="add --scenario FILE, or compare.scenario")
    bases = (Path.cwd(), project.root) if wished else (project.root,)
    candidates = [base / chosen for base in bases] + [project.root / "scenarios" / f"{chosen}.py"]
    for candidate in candidates:
        if candidate.is_file():
            return candidate.resolve()
    known = [path.stem for path in sorted((project.root / "scenarios").glob("*.py"))]
    raise ConfigurationError(f"there is no scenario {chosen!r}", remedy=suggest(chosen, known))


def _size(project: Project, wished: str | None) -> str:
    sizes = project.raw.data.sizes
    size = wished or project.raw.data.size or sizes[0]
    if size not in sizes:
        raise ConfigurationError(f"unknown size {size!r}", remedy=suggest(size, sizes))
    return size


def compile_variant(
    project: Project, choices: str | None, held: tuple[str, ...], scenario: str | None, size: str | None
) -> tuple[Variant, Path, str]:
    """Return one variant, the scenario that drives it, and its dataset size; raises `ConfigurationError`.

    Args:
        project: whose toggles, data and scenarios these are.
        choices: `orm=naive`, several with commas; None: all toggles at their defaults.
        held: more of them.
        scenario: a file, or a name in scenarios/; None: the toggle's own, or `compare.scenario`.
        size: of `data.sizes`; None: the project's default.
    """
    (variant,), path, told = compile_variants(project, [choices], held, scenario, size)
    return replace(variant, name="it"), path, told


def compile_variants(
    project: Project,
    choices: Sequence[str | None],
    held: tuple[str, ...],
    scenario: str | None,
    size: str | None,
) -> tuple[list[Variant], Path, str]:
    """Return several variants, named v0, v1, …, which differ in nothing but what the choices name."""
    chosen = [parse_choices(project, each) if each else {} for each in choices]
    sides = all_choices(project, chosen, parse_choices(project, ",".join(held)) if held else {})
    told, secret = _size(project, size), secrets.token_urlsafe(48)
    variants = [
        variant_of(project, f"v{index}", label or "defaults", mine, told, secret)
        for index, (label, mine) in enumerate(zip(choices, sides, strict=True))
    ]
    return variants, _scenario(project, scenario, sorted({name for each in chosen for name in each})), told
