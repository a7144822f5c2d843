"""`[gate]` of `loadstone.toml`: which comparisons of base and head are run, and what must hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from loadstone.config.accepted import Accepted, read_accepted
from loadstone.config.bounds import check_metric, parse_gating
from loadstone.config.compile import Wish
from loadstone.config.exact_rules import ExactRule, default_rules, parse_exact
from loadstone.config.load import Project, suggest
from loadstone.config.locate import line_of
from loadstone.config.model import PayloadRule
from loadstone.config.offered import LoadWish, Offer, compile_offer
from loadstone.config.raw import RawGateExperiment, convert
from loadstone.config.thresholds import Threshold, parse_thresholds
from loadstone.config.units import parse_duration, parse_share
from loadstone.errors import ConfigurationError
from loadstone.stats.verdicts import FailOn
from loadstone.verdict.metrics import GATING, split_name

T = TypeVar("T")
LANES = ("pair", "load", "probe")
INCONCLUSIVE = ("tell", "fail")
Complain = Callable[[ConfigurationError, str], ConfigurationError]
"""Adds file and line of a key to an error."""


@dataclass(frozen=True, slots=True)
class GateExperiment:
    """One comparison of base and head, and what must hold of it."""

    name: str
    lane: str
    wish: Wish
    """Without its sides."""
    budget_s: float
    """Most time to measure for."""
    offer: Offer | None
    budgets: tuple[Threshold, ...]
    exact: tuple[ExactRule, ...]
    gating: tuple[str, ...]
    """Metrics that somebody named; those of the table may turn out not to be measurable."""
    line: int
    """In the configuration."""


@dataclass(frozen=True, slots=True)
class GateConfig:
    """What the gate runs, and when it fails."""

    path: Path
    """The configuration's file."""
    experiments: tuple[GateExperiment, ...]
    budget_s: float
    """Time for all experiments together."""
    fail_inconclusive: bool
    fail_on: FailOn
    accepted: tuple[Accepted, ...]


def compile_gate(project: Project, only: tuple[str, ...] = (), *, probe_only: bool = False) -> GateConfig:
    """Return the gate of a project; raises `ConfigurationError` with file and line.

    Args:
        project: whose gate it is; without experiments, there is one of `compare.scenario`.
        only: names of experiments; none: all.
        probe_only: leave the timing out.
    """
    raw, text = project.raw.gate, project.path.read_text(encoding="utf-8")
    tables = raw.experiments or {_default_name(project): {}}
    for name in only:
        if name not in tables:
            raise ConfigurationError(f"there is no experiment {name!r}", remedy=suggest(name, list(tables)))

    def at(error: ConfigurationError, key: str, *above: str) -> ConfigurationError:
        keys = ("gate", *above, *([key] if key else []))
        cause = f"{project.path}:{line_of(text, keys)}"
        cause += f": {error.cause}" if error.cause.startswith("column") else ""
        return ConfigurationError(f"{'.'.join(keys)}: {error.problem}", cause=cause, remedy=error.remedy)

    def read(name: str, table: dict[str, Any]) -> GateExperiment:
        below = ("experiments", name)
        own = convert(table, RawGateExperiment, project.path, text, below=("gate", *below))
        line = line_of(text, ("gate", *below))
        return _experiment(
            project, name, own, line, lambda error, key: at(error, key, *below), probe_only=probe_only
        )

    for key, word, known in (
        ("inconclusive", raw.inconclusive, INCONCLUSIVE),
        ("fail_on", raw.fail_on, tuple(str(one) for one in FailOn)),
    ):
        if word not in known:
            problem = ConfigurationError(f"{word!r} is no choice", remedy=suggest(word, known))
            raise at(problem, key)
    budget_s = _parsed(parse_duration, raw.budget, "budget", at)
    experiments = tuple(read(name, table) for name, table in tables.items() if not only or name in only)
    return GateConfig(
        path=project.path,
        experiments=experiments,
        budget_s=budget_s,
        fail_inconclusive=raw.inconclusive == "fail",
        fail_on=FailOn(raw.fail_on),
        accepted=read_accepted(project.root / raw.accepted, list(tables)),
    )


def _default_name(project: Project) -> str:
    return Path(project.raw.compare.scenario or "default").stem


def _experiment(
    project: Project, name: str, own: RawGateExperiment, line: int, at: Complain, *, probe_only: bool
) -> GateExperiment:
    """Return one experiment, what it leaves open taken from `[gate]` and `[compare]`."""
    gate, compare = project.raw.gate, project.raw.compare
    if own.lane not in LANES:
        raise at(ConfigurationError(f"{own.lane!r} is no lane", remedy=suggest(own.lane, LANES)), "lane")
    if own.lane != "load" and own.rate is not None:
        raise at(ConfigurationError("only the load lane offers a rate", remedy='write lane = "load"'), "rate")
    if own.lane != "pair" and (own.gating or own.margins):
        problem = ConfigurationError(
            "only in the pair lane can be chosen what decides", remedy="leave out gating and margins"
        )
        raise at(problem, "gating" if own.gating else "margins")
    if own.lane == "probe" and own.budgets:
        raise at(ConfigurationError("nothing is timed in the probe lane", remedy="leave them out"), "budgets")
    lane = "probe" if probe_only else own.lane
    margins = {one: _parsed(parse_share, text, "margins", at) for one, text in own.margins.items()}
    gating = _gating(own, tuple(compare.gating), margins, at)
    budgets = gate.budgets if own.budgets is None else own.budgets
    exact = gate.exact if own.exact is None else own.exact
    ignore = gate.ignore if own.ignore is None else own.ignore
    budget = own.budget or compare.budget
    if own.margin is not None:
        _parsed(parse_share, own.margin, "margin", at)
    return GateExperiment(
        name=name,
        lane=lane,
        wish=Wish(
            before="",
            after="",
            held=tuple(own.held),
            scenario=own.scenario,
            size=own.size,
            margin=own.margin,
            users=own.users,
            allow_identical=True,
            gating=gating if lane == "pair" else (),
            margins=margins,
            fail_on=FailOn(gate.fail_on),
            rules=(PayloadRule("gate", tuple(ignore)),) if ignore else (),
        ),
        budget_s=_parsed(parse_duration, budget, "budget", at),
        offer=_offer(project, own, at) if lane == "load" else None,
        budgets=tuple(one for text in budgets for one in _budgets(text, own.lane, at)),
        exact=default_rules()
        if exact is None
        else tuple(_parsed(parse_exact, text, "exact", at) for text in exact),
        gating=tuple(own.gating) + tuple(one for one in margins if split_name(one)[0]),
        line=line,
    )


def _gating(
    own: RawGateExperiment, default: tuple[str, ...], margins: dict[str, float], at: Complain
) -> tuple[str, ...]:
    """Return what decides: as named, and whatever endpoint has a margin of its own; none: as by default."""
    for name in margins:
        try:
            check_metric(name)
        except ConfigurationError as error:
            raise at(error, "margins") from error
    endpoints = tuple(name for name in margins if split_name(name)[0] is not None)
    chosen = tuple(own.gating) or default
    if not chosen and not endpoints:
        return ()
    try:
        return parse_gating((*(chosen or GATING), *endpoints))
    except ConfigurationError as error:
        raise at(error, "gating" if own.gating else "margins") from error


def _budgets(text: str, lane: str, at: Complain) -> tuple[Threshold, ...]:
    """Return budgets that a comparison can be held to: whole runs, and the times that its lane measures."""
    found = _parsed(parse_thresholds, text, "budgets", at)
    measured = "response" if lane == "load" else "service"
    for one in found:
        problem, remedy = "", ""
        if one.window_s:
            problem, remedy = "windows are watched by `loadstone load` only", "leave out `over`"
        elif one.measure == "max":
            problem, remedy = "a comparison keeps quantiles, not the longest", "limit p99.9 instead"
        elif one.measure == "rate":
            problem, remedy = "the rate is no result of a comparison", "limit times, errors or classes"
        elif "." in one.text.split(":")[-1].split(one.operator)[0] and one.time != measured:
            problem = f"the {lane} lane measures {measured} time"
            remedy = f"write {one.text.replace(f'{one.time}.', '')}, which means {measured} time here"
        if problem:
            raise at(ConfigurationError(f"{one.text!r}: {problem}", remedy=remedy), "budgets")
    return found


def _offer(project: Project, own: RawGateExperiment, at: Complain) -> Offer:
    try:
        return compile_offer(project, LoadWish(rate=own.rate))
    except ConfigurationError as error:
        raise at(error, "rate") from error


def _parsed(parse: Callable[[str], T], text: str, key: str, at: Complain) -> T:
    try:
        return parse(text)
    except ConfigurationError as error:
        raise at(error, key) from error
