"""From the words of the command line to an experiment: variants, recipes, rules."""

from __future__ import annotations

import hashlib
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from loadstone.config.companions import companions_for
from loadstone.config.controls import with_controls
from loadstone.config.limits import require_within
from loadstone.config.load import Project, check_choice, require_available, suggest
from loadstone.config.model import Experiment, PayloadRule, Recipe, Scope, Source, Variant
from loadstone.config.units import parse_duration, parse_share
from loadstone.errors import ConfigurationError
from loadstone.stats.repeated import Stopping
from loadstone.stats.verdicts import FailOn
from loadstone.verdict.metrics import BY_NAME, split_name

MOST_IN_FLIGHT = 256
NOT_THE_PROJECT = frozenset({".git", ".loadstone", ".venv", "venv", "node_modules"})
"""Folders whose files `data.inputs` never means: a wide glob would find other projects' in them."""
MOST_TRACKS = 2
MOST_GATING = 5
MOST_GATING_ENDPOINTS = 10
ANYTIME_CAP = "30m"
PROFILE_S = 5.0
"""How long stacks are sampled, where they are."""
PROFILED_FROM_S = 60.0
"""Budget from which on they are by default: starting once more and sampling takes a sixth of it or less."""
"""Budget of a run without a planned end, where none is given."""


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


def parse_choices(project: Project, text: str) -> dict[str, str]:
    """Return `{"orm": "naive"}` for `orm=naive` (several with commas); raises `ConfigurationError`."""
    choices: dict[str, str] = {}
    for part in text.split(","):
        name, separator, choice = (piece.strip() for piece in part.partition("="))
        if not separator or not name or not choice:
            raise ConfigurationError(
                f"{part.strip()!r} is no choice of a toggle",
                remedy="write TOGGLE=CHOICE, such as orm=naive; `loadstone toggles` lists them",
            )
        if name in choices:
            raise ConfigurationError(f"toggle {name!r} is set twice in {text!r}", remedy="name it once")
        check_choice(project, name, choice)
        choices[name] = choice
    return choices


def split_side(text: str) -> tuple[str, str]:
    """Return the commit and the choices that a side names: `main,orm=naive` is ("main", "orm=naive").

    The commit is empty where none is named, and where it is `.`: the project as it stands.

    Raises:
        ConfigurationError: two commits are named.
    """
    parts = [part.strip() for part in text.split(",")]
    refs = [part for part in parts if part and "=" not in part]
    if len(refs) > 1:
        raise ConfigurationError(
            f"{text!r} names {' and '.join(refs)}",
            cause="a side is one commit, or the project as it stands",
            remedy="write one of them, and choices as TOGGLE=CHOICE",
        )
    choices = ",".join(part for part in parts if part not in refs)
    return "".join(ref for ref in refs if ref != "."), choices


def _choices(project: Project, text: str) -> dict[str, str]:
    choices = split_side(text)[1]
    return parse_choices(project, choices) if choices else {}


def compile_experiment(
    project: Project, wish: Wish, sources: tuple[Source | None, Source | None] = (None, None)
) -> Experiment:
    """Return the experiment that `wish` describes; raises `ConfigurationError`.

    Args:
        project: whose toggles, data and scenarios these are.
        wish: what was asked for.
        sources: the commits that the sides name; None: the project as it stands.
    """
    before, after = _choices(project, wish.before), _choices(project, wish.after)
    held = parse_choices(project, ",".join(wish.held)) if wish.held else {}
    named = sorted({*before, *after})
    for name in held:
        if name in named:
            raise ConfigurationError(
                f"toggle {name!r} is compared and held at once", remedy=f"leave out --with {name}=…"
            )
    given: dict[str, str] = {}
    for name in named:
        given |= {key: value for key, value in project.toggles[name].given.items() if key not in named}
    common = {name: toggle.default for name, toggle in project.toggles.items()} | given | held
    sides = {**common, **before}, {**common, **after}
    commits = [source.commit if source else "" for source in sources]
    if sides[0] == sides[1] and commits[0] == commits[1] and not wish.allow_identical:
        raise ConfigurationError(
            "both variants are the same",
            cause=f"{wish.before} and {wish.after} are the same commit and choices"
            if commits[0]
            else f"{wish.before} and {wish.after} set the same choices",
            remedy="name two different choices, or add --allow-identical to measure the noise",
        )
    size = _size(project, wish.size)
    secret = secrets.token_urlsafe(48)
    variants: tuple[Variant, ...] = (
        _variant(project, "before", wish.before, sides[0], size, secret, sources[0]),
        _variant(project, "after", wish.after, sides[1], size, secret, sources[1]),
    )
    return experiment_of(project, wish, variants, size, rules=_rules(project, sides), toggles=named)


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
    default = ANYTIME_CAP if wish.anytime else project.raw.compare.budget
    budget_s = parse_duration(wish.budget or default)
    require_within(project, seconds=budget_s)
    users = _users(wish.users if wish.users is not None else project.raw.compare.users)
    in_flight = _in_flight(wish.in_flight if wish.in_flight is not None else project.raw.compare.in_flight)
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
        margin=parse_share(wish.margin or project.raw.compare.margin),
        alpha=parse_share(wish.alpha or project.raw.compare.alpha),
        budget_s=budget_s,
        max_generations=wish.generations,
        in_flight=in_flight,
        tracks=_tracks(wish.tracks if wish.tracks is not None else project.raw.compare.tracks),
        pinned=wish.pinned if wish.pinned is not None else project.raw.compare.pinned,
        steady=wish.steady if wish.steady is not None else project.raw.compare.steady,
        gating=parse_gating(wish.gating or tuple(project.raw.compare.gating)),
        margins=dict(wish.margins),
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


def base_recipe(project: Project, size: str, source: Source | None = None) -> Recipe:
    """Return the recipe that all variants of `size` start from, or those of one commit.

    Commits whose `data.inputs` are alike share their data; where none are named, each has its own.
    """
    data = project.raw.data
    inputs = _digest(source.root if source else project.root, data.inputs)
    return Recipe(
        prepare=tuple(tuple(command) for command in data.prepare),
        size=size,
        seed=data.seed,
        inputs=inputs if data.inputs or source is None else source.commit,
    )


def _variant(
    project: Project,
    name: str,
    label: str,
    choices: Mapping[str, str],
    size: str,
    secret: str,
    source: Source | None = None,
) -> Variant:
    require_available(project, choices)
    target = project.raw.target
    if not target.command:
        raise ConfigurationError(
            "there is nothing to start",
            cause=f"{project.path.name} has no [target]: it names deployments alone",
            remedy="compare these by their names, or write a [target] with the command that starts the app",
        )
    environment = {key: value.replace("{secret}", secret) for key, value in target.env.items()}
    ddl: list[str] = []
    for toggle_name, choice in choices.items():
        toggle = project.toggles[toggle_name]
        environment[toggle.env] = choice
        if toggle.scope is Scope.SCHEMA:
            ddl += toggle.ddl.get(choice, ())
    base = base_recipe(project, size, source)
    own = own_python(project)
    return Variant(
        name=name,
        label=label,
        argv=tuple(target.command),
        directory=((source.root if source else project.root) / target.directory).resolve(),
        env=environment,
        recipe=Recipe(base.prepare, base.size, base.seed, tuple(ddl), base.inputs),
        health_path=target.health,
        python=(source.python if source else None) or own,
        start_timeout_s=parse_duration(target.start_timeout),
        toggles=dict(choices),
        provenance=dict(source.provenance) if source else {},
        needs_postgres=project.raw.data.postgres,
        needs_redis=project.raw.data.redis,
        companions=companions_for(project, choices),
    )


def own_python(project: Project) -> Path:
    """Return what `{python}` stands for in the project as it stands; a path counts from its folder."""
    named = project.raw.target.python
    if not named:
        return Path(sys.executable)
    return project.root / named if "/" in named else Path(named)


def _rules(project: Project, sides: tuple[Mapping[str, str], Mapping[str, str]]) -> tuple[PayloadRule, ...]:
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


def _users(count: int) -> int:
    most = 1000
    if not 1 <= count <= most:
        raise ConfigurationError(f"{count} users cannot be run", remedy=f"choose between 1 and {most}")
    return count


def _in_flight(count: int) -> int:
    if not 1 <= count <= MOST_IN_FLIGHT:
        raise ConfigurationError(
            f"{count} pairs cannot be in flight", remedy=f"choose between 1 and {MOST_IN_FLIGHT}"
        )
    return count


def _tracks(count: int) -> int:
    if not 0 <= count <= MOST_TRACKS:
        raise ConfigurationError(
            f"{count} generations cannot be measured at once",
            remedy=f"choose between 1 and {MOST_TRACKS}, or 0 for what the machine has room for",
        )
    return count


def parse_gating(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the metrics that decide, each once; none: those of the table. Raises `ConfigurationError`."""
    chosen = tuple(dict.fromkeys(part.strip() for name in names for part in name.split(",") if part.strip()))
    for name in chosen:
        check_metric(name)
    endpoints = sum(split_name(name)[0] is not None for name in chosen)
    for count, most, what in (
        (len(chosen) - endpoints, MOST_GATING, "metrics"),
        (endpoints, MOST_GATING_ENDPOINTS, "metrics of single endpoints"),
    ):
        if count > most:
            raise ConfigurationError(
                f"{count} {what} cannot decide",
                cause=f"the false-alarm rate is divided among them: {most} at most",
                remedy="name those that matter; all others are told as diagnostics",
            )
    return chosen


def check_metric(name: str) -> None:
    """Raise `ConfigurationError` unless `name` is a metric, or `ENDPOINT: METRIC` where that is measured."""
    endpoint, metric = split_name(name)
    if metric not in BY_NAME:
        raise ConfigurationError(f"there is no metric {metric!r}", remedy=suggest(metric, list(BY_NAME)))
    if endpoint is not None and not BY_NAME[metric].per_endpoint:
        raise ConfigurationError(
            f"{metric!r} cannot be told apart by endpoint", remedy=f"write {metric} without {endpoint}"
        )


def _digest(root: Path, patterns: list[str]) -> str:
    """Return a digest of the files that `patterns` name, by path and content."""
    digest = hashlib.sha256()
    try:
        named = {path for pattern in patterns for path in root.glob(pattern) if path.is_file()}
        for path in sorted(named):
            own = path.relative_to(root)
            if not NOT_THE_PROJECT & set(own.parts):
                digest.update(own.as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    except (ValueError, NotImplementedError, OSError) as error:
        raise ConfigurationError(
            "data.inputs cannot be read", cause=str(error), remedy="give globs relative to loadstone.toml"
        ) from error
    return digest.hexdigest()[:16]


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
    named = sorted({name for each in chosen for name in each})
    given: dict[str, str] = {}
    for name in named:
        given |= {key: value for key, value in project.toggles[name].given.items() if key not in named}
    common = {name: toggle.default for name, toggle in project.toggles.items()} | given
    common |= parse_choices(project, ",".join(held)) if held else {}
    told, secret = _size(project, size), secrets.token_urlsafe(48)
    variants = [
        _variant(project, f"v{index}", label or "defaults", {**common, **mine}, told, secret)
        for index, (label, mine) in enumerate(zip(choices, chosen, strict=True))
    ]
    return variants, _scenario(project, scenario, named), told
