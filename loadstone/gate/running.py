"""Running a gate: every experiment's exact facts first, then the timings that there is time for."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from loadstone import __version__
from loadstone.config.compile import compile_experiment
from loadstone.config.gate import GateConfig, GateExperiment
from loadstone.config.load import Project
from loadstone.config.model import Experiment, Source
from loadstone.config.units import format_duration
from loadstone.errors import ConfigurationError
from loadstone.gate import outcome
from loadstone.gate.acceptance import apply
from loadstone.gate.findings import exact_findings, not_measured, timed_findings
from loadstone.gate.sides import Sides, changed_lines, in_repository
from loadstone.lanes import conductor
from loadstone.lanes.conductor import Options, conduct
from loadstone.lanes.load_conductor import conduct_load, make_load_design
from loadstone.lanes.view import View
from loadstone.record.gated import GateExperimentInfo, GateFinding, GateResult, Status

LEAST_S = 20.0
"""Less time than this decides nothing."""
DIGITS = 12


@dataclass(frozen=True, slots=True)
class Gate:
    """What is gated, and how it tells of itself."""

    project: Project
    config: GateConfig
    sides: Sides
    sources: tuple[Source | None, Source | None]
    options: Options
    view: Callable[[], AbstractContextManager[View]]
    say: Callable[[str], None]
    today: date
    seed: int = 1
    keep_going: bool = False
    """Time also where an exact fact has failed already."""


@dataclass(slots=True)
class _Course:
    """What has been found so far."""

    begin: float
    findings: list[GateFinding] = field(default_factory=list)
    infos: dict[str, GateExperimentInfo] = field(default_factory=dict)
    machine: str = ""
    exact_took_s: float | None = None
    interrupted: bool = False

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self.begin


def run_gate(gate: Gate) -> GateResult:
    """Run all experiments and return what was found; raises `ConfigurationError` for what cannot be run."""
    check_gate(gate)
    started, course = datetime.now(UTC).isoformat(timespec="seconds"), _Course(time.monotonic())
    _probe_all(gate, course)
    if not course.interrupted:
        _time_all(gate, course)
    findings = outcome.ordered(_settled(gate, course))
    found = outcome.outcome_of(
        findings, fail_inconclusive=gate.config.fail_inconclusive, interrupted=course.interrupted
    )
    return GateResult(
        loadstone_version=__version__,
        outcome=found,
        exit_code=outcome.exit_code(found),
        headline=outcome.headline(found, findings),
        base=gate.sides.base,
        head=gate.sides.head,
        started_at=started,
        took_s=round(course.elapsed_s, 3),
        exact_took_s=course.exact_took_s,
        config=_config(gate),
        machine=course.machine,
        experiments=[course.infos[one.name] for one in gate.config.experiments if one.name in course.infos],
        findings=findings,
    )


def _config(gate: Gate) -> str:
    path, top = gate.config.path, gate.sides.top
    return path.relative_to(top).as_posix() if path.is_relative_to(top) else path.name


def _settled(gate: Gate, course: _Course) -> list[GateFinding]:
    return apply(course.findings, gate.config.accepted, gate.today, gate.sides.top)


def _probe_all(gate: Gate, course: _Course) -> None:
    locate = _locator(gate)
    for experiment in gate.config.experiments:
        gate.say(f"{experiment.name}: exact facts of base and head")
        begin = course.elapsed_s
        ended = _conduct(gate, experiment, lane="probe", budget_s=experiment.budget_s)
        course.infos[experiment.name] = GateExperimentInfo(
            name=experiment.name,
            lane=experiment.lane,
            line=experiment.line,
            runs=[ended.folder.name],
            took_s=round(course.elapsed_s - begin, 3),
            measured=experiment.lane == "probe",
        )
        machine = ended.result.machine
        course.machine = f"{machine.cpu_model}, {machine.cores} cores"
        if ended.interrupted:
            course.interrupted = True
            return
        found = exact_findings(experiment, ended.result, ended.error, locate)
        course.findings += found
        for one in found:
            if one.status is Status.FAILED:
                gate.say(f"{experiment.name}: {one.message.splitlines()[0]}")
    course.exact_took_s = round(course.elapsed_s, 3)


def _to_time(gate: Gate, course: _Course) -> list[GateExperiment]:
    """Return what is worth timing: nothing once an exact fact has failed, never what cannot be probed."""
    settled = _settled(gate, course)
    invalid = {one.experiment for one in settled if one.status is Status.INVALID}
    failed = invalid or any(one.status in outcome.FAILING for one in settled)
    if failed and not gate.keep_going:
        return []
    return [one for one in gate.config.experiments if one.lane != "probe" and one.name not in invalid]


def _time_all(gate: Gate, course: _Course) -> None:
    """Time what is to be timed, each at most as long as its budget and its share of what is left."""
    waiting = _to_time(gate, course)
    for place, experiment in enumerate(waiting):
        left = gate.config.budget_s - course.elapsed_s
        budget_s = min(experiment.budget_s, left / (len(waiting) - place))
        if budget_s < LEAST_S:
            told = f"not timed: of {format_duration(gate.config.budget_s)} nothing was left for it"
            course.findings.append(not_measured(experiment, told))
            continue
        gate.say(f"{experiment.name}: timing base and head for at most {format_duration(budget_s)}")
        begin = course.elapsed_s
        try:
            ended = _conduct(gate, experiment, lane=experiment.lane, budget_s=budget_s)
        except ConfigurationError as error:
            if budget_s >= experiment.budget_s:
                raise
            course.findings.append(not_measured(experiment, f"not timed: {error.problem}"))
            continue
        info = course.infos[experiment.name]
        course.infos[experiment.name] = GateExperimentInfo(
            name=info.name,
            lane=info.lane,
            line=info.line,
            runs=[*info.runs, ended.folder.name],
            took_s=round(info.took_s + course.elapsed_s - begin, 3),
            verdict=str(ended.result.verdict.verdict),
            headline=ended.result.verdict.headline,
        )
        if ended.interrupted:
            course.interrupted = True
            return
        course.findings += timed_findings(experiment, ended.result, gate.config.fail_on, ended.error)


def check_gate(gate: Gate) -> None:
    """Find out before anything runs whether every experiment can; raises `ConfigurationError`.

    Its budget too must be long enough for a verdict.
    """
    for experiment in gate.config.experiments:
        try:
            compiled = _compiled(gate, experiment, experiment.lane, experiment.budget_s)
            if experiment.lane == "load" and experiment.offer is not None:
                make_load_design(compiled, experiment.offer, gate.options.command)
            elif experiment.lane == "pair":
                conductor.plan_ahead(compiled, gate.options)
        except ConfigurationError as error:
            raise ConfigurationError(
                f"experiment {experiment.name!r}: {error.problem}",
                cause=f"{gate.config.path}:{experiment.line}{f': {error.cause}' if error.cause else ''}",
                remedy=error.remedy.replace("--budget", "budget"),
            ) from error


def _conduct(gate: Gate, experiment: GateExperiment, *, lane: str, budget_s: float) -> conductor.Outcome:
    compiled = _compiled(gate, experiment, lane, budget_s)
    with gate.view() as view:
        if lane == "load" and experiment.offer is not None:
            return conduct_load(compiled, experiment.offer, gate.options, view)
        return conduct(compiled, gate.options, view)


def _compiled(gate: Gate, experiment: GateExperiment, lane: str, budget_s: float) -> Experiment:
    before, after = (_named(side.ref, side.commit) for side in (gate.sides.base, gate.sides.head))
    wish = dataclasses.replace(
        experiment.wish,
        before=before,
        after=after,
        lane=lane,
        budget=f"{budget_s:.1f}s",
        seed=gate.seed,
        gating=experiment.wish.gating if lane == "pair" else (),
    )
    return compile_experiment(gate.project, wish, gate.sources)


def _named(ref: str, commit: str) -> str:
    """Return a side as `loadstone compare` names it: by twelve digits where it is a bare hash."""
    return commit[:DIGITS] if commit.startswith(ref) else ref


def _locator(gate: Gate) -> Callable[[Sequence[str]], tuple[str, int]]:
    """Return what finds a statement's line in the repository, those that head changed first."""
    changed = changed_lines(gate.sides)
    directory, root = gate.project.raw.target.directory, gate.project.root

    def locate(sources: Sequence[str]) -> tuple[str, int]:
        found = []
        for source in sources:
            file, _, line = source.rpartition(":")
            path = in_repository(gate.sides, directory, root, file)
            if path:
                found.append((path, int(line)))
        found.sort(key=lambda one: (one[1] not in changed.get(one[0], set()), one[0] not in changed))
        return found[0] if found else ("", 0)

    return locate
