"""A run's result, from its journal and chunks alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from msgspec.structs import replace

from loadstone.errors import MeasurementError
from loadstone.record.journal import (
    EndLine,
    GenerationLine,
    PlanLine,
    ProbeLine,
    ProfileLine,
    ResumeLine,
    read_chunk,
    read_journal,
    read_spikes,
)
from loadstone.record.plan import Plan
from loadstone.record.priced import Price
from loadstone.record.probed import FactChange, Probe
from loadstone.record.profiled import Profile
from loadstone.record.result import (
    SCHEMA_VERSION,
    Check,
    CheckStatus,
    Contrast,
    Machine,
    Result,
    RunInfo,
    RunStatus,
)
from loadstone.stats.inference import MINIMUM_GENERATIONS
from loadstone.stats.verdicts import Verdict
from loadstone.verdict import facts
from loadstone.verdict.checks import all_checks, control_checks
from loadstone.verdict.contrasts import all_contrasts, start_positions
from loadstone.verdict.controls import judge_controls
from loadstone.verdict.exact import fact_changes
from loadstone.verdict.levels import Observations, gather
from loadstone.verdict.overall import judge_facts, judge_timing
from loadstone.verdict.planned import experiment_of, variants_of
from loadstone.verdict.price import memory_prices, prices
from loadstone.verdict.profile import read_profile
from loadstone.verdict.rules import Rules, rules_at
from loadstone.verdict.slowest import slowest
from loadstone.verdict.spikes import charged, relieved

LATENCY_CHECKS = ("quiet gaps",)
"""Checks whose failure invalidates latencies alone; CPU per request stays."""


@dataclass(frozen=True)
class Sealed:
    """Everything that a run's folder says of what was planned and seen."""

    plan: Plan
    generations: list[GenerationLine]
    observations: Observations
    probe: Probe | None
    end: EndLine | None
    bare: Observations | None = None
    """The observations without a control's extra cost; None where no control has any."""
    resumes: tuple[ResumeLine, ...] = ()
    """Where the run was cut short and went on."""
    profile: Profile | None = None
    """None where no stacks were sampled."""


@dataclass(frozen=True)
class Circumstances:
    """What a result tells beside what it judges."""

    run_id: str
    started_at: str
    finished_at: str
    duration_s: float
    machine: Machine


def read_sealed(folder: Path) -> Sealed:
    """Return what a run's folder holds; raises `MeasurementError` when it is no run or damaged."""
    lines = read_journal(folder)
    if not lines or not isinstance(lines[0], PlanLine):
        raise MeasurementError(f"{folder} holds no plan", cause="the journal does not open with one")
    plan = lines[0].plan
    generations = [line for line in lines if isinstance(line, GenerationLine)]
    probes = [line for line in lines if isinstance(line, ProbeLine)]
    ends = [line for line in lines if isinstance(line, EndLine | ResumeLine)]
    end = ends[-1] if ends else None
    rows = [read_chunk(folder, line.chunk) for line in generations]
    spikes = [read_spikes(folder, line) for line in generations]
    sealed = list(zip(generations, rows, spikes, strict=True))
    count, spiked = len(plan.variants), any(line.spikes for line in generations)
    return Sealed(
        plan=plan,
        generations=generations,
        observations=gather(count, [charged(*one, plan.spike_share) for one in sealed]),
        bare=gather(count, [relieved(*one) for one in sealed]) if spiked else None,
        probe=msgspec.json.decode(probes[-1].probe, type=Probe) if probes else None,
        end=end if isinstance(end, EndLine) else None,
        resumes=tuple(line for line in lines if isinstance(line, ResumeLine)),
        profile=read_profile(folder, [line for line in lines if isinstance(line, ProfileLine)]),
    )


def judge_run(sealed: Sealed, circumstances: Circumstances) -> Result:
    """Return the result of a run that has ended."""
    plan, observations = sealed.plan, sealed.observations
    rules = _rules(sealed)
    contrasts = all_contrasts(observations, rules) if rules else []
    controls = judge_controls(observations, sealed.bare, rules) if rules else []
    checks = all_checks(observations, plan, rules, sealed.probe, sealed.resumes)
    checks += control_checks(controls, plan)
    contrasts = _without_invalid(contrasts, checks)
    names = [plan.variants[index].name for index in (0, *plan.judged)]
    changes = fact_changes(sealed.probe, names, deciding="pair" not in plan.lanes)
    status = _status(sealed, checks)
    if "pair" in plan.lanes:
        overall = judge_timing(contrasts, changes, checks, status, plan, _fault(sealed))
    else:
        overall = judge_facts(changes, checks, status, _fault(sealed))
    return Result(
        schema_version=SCHEMA_VERSION,
        run=RunInfo(
            id=circumstances.run_id,
            started_at=circumstances.started_at,
            finished_at=circumstances.finished_at,
            status=status,
            stop_reason=sealed.end.stop_reason if sealed.end else "killed",
            command=plan.command,
            seed=plan.seed,
            plan_hash=plan.hash,
            loadstone_version=plan.loadstone_version,
            duration_s=circumstances.duration_s,
        ),
        experiment=experiment_of(plan),
        variants=variants_of(plan),
        verdict=overall,
        contrasts=contrasts,
        generations=facts.generation_infos(observations, plan),
        distributions=facts.distributions(observations, plan),
        outcomes=facts.outcomes(observations, plan),
        probe=sealed.probe,
        facts=changes,
        prices=_prices(sealed, contrasts, changes),
        slowest=slowest(observations, [variant.name for variant in plan.variants]),
        profile=sealed.profile,
        controls=controls,
        checks=checks,
        machine=circumstances.machine,
        sequence=facts.sequence(observations),
    )


def _prices(sealed: Sealed, contrasts: list[Contrast], changes: list[FactChange]) -> list[Price]:
    """Return what got worse: memory over generations where there are enough, else as the probe read it."""
    plan, lines = sealed.plan, sealed.generations
    judged = [0, *plan.judged]
    names = [plan.variants[index].name for index in judged]
    found = prices(contrasts, changes, sealed.probe, names)
    table = [[line.cpu[index].memory_bytes or math.nan for index in judged] for line in lines if line.cpu]
    if len(table) < MINIMUM_GENERATIONS or not np.isfinite(table).all():
        return found
    positions = start_positions(plan, len(table))[:, judged]
    return [
        *(one for one in found if one.name != "memory_bytes"),
        *memory_prices(np.array(table), positions, names),
    ]


def _rules(sealed: Sealed) -> Rules | None:
    """Return how the run's contrasts are judged, or None where they are not."""
    if "pair" not in sealed.plan.lanes:
        return None
    end = sealed.end
    decided = end is not None and end.decided
    out_of_time = end is not None and end.status == RunStatus.COMPLETE and not decided
    return rules_at(
        sealed.plan, sealed.observations.count, ended=True, decided=decided, out_of_time=out_of_time
    )


def _without_invalid(contrasts: list[Contrast], checks: list[Check]) -> list[Contrast]:
    """Turn the verdicts of latencies invalid where a check says that they must not be believed."""
    if not any(check.status is CheckStatus.FAIL and check.name in LATENCY_CHECKS for check in checks):
        return contrasts
    return [
        replace(contrast, verdict=Verdict.INVALID)
        if contrast.available and contrast.metric.startswith("latency")
        else contrast
        for contrast in contrasts
    ]


def _fault(sealed: Sealed) -> list[str]:
    """Return what ended an invalid run, and what is known of its cause."""
    end = sealed.end
    if end is None or end.status != RunStatus.INVALID:
        return []
    return [text for text in (end.stop_reason, end.cause) if text]


def _status(sealed: Sealed, checks: list[Check]) -> RunStatus:
    if sealed.end is not None and sealed.end.status == RunStatus.INVALID:
        return RunStatus.INVALID
    if any(check.status is CheckStatus.FAIL for check in checks):
        return RunStatus.INVALID
    if sealed.end is None or sealed.end.status == RunStatus.PARTIAL:
        return RunStatus.PARTIAL
    return RunStatus.COMPLETE
