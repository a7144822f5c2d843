"""The result of a comparison under load, from its journal and recordings alone."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import msgspec

from loadstone.errors import MeasurementError
from loadstone.record.load_comparison import (
    ComparisonEndLine,
    DesignLine,
    LoadDesign,
    LoadGenerationLine,
    ProbedLine,
    read_comparison,
)
from loadstone.record.load_record import read_recording
from loadstone.record.probed import Probe
from loadstone.record.recording import Recording
from loadstone.record.result import (
    SCHEMA_VERSION,
    Check,
    CheckStatus,
    Distribution,
    GenerationInfo,
    OutcomeCount,
    Result,
    RunInfo,
    RunStatus,
)
from loadstone.stats.inference import contrasts as contrasts_of
from loadstone.verdict.assemble import Circumstances
from loadstone.verdict.checks.surroundings import others_check
from loadstone.verdict.contrasts import start_positions
from loadstone.verdict.exact import fact_changes
from loadstone.verdict.load_checks import comparison_checks
from loadstone.verdict.load_contrasts import load_contrasts
from loadstone.verdict.load_levels import (
    LOAD_METRICS,
    WELL,
    LoadMeasured,
    LoadObservations,
    load_levels,
    smooth_quantile,
)
from loadstone.verdict.overall import judge_timing
from loadstone.verdict.planned import experiment_of, variants_of
from loadstone.verdict.price import prices
from loadstone.verdict.rules import rules_at

_GRID = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9999)


@dataclass(frozen=True)
class SealedLoad:
    """Everything that a run's folder says."""

    design: LoadDesign
    observations: LoadObservations
    probe: Probe | None
    end: ComparisonEndLine | None


def read_sealed_load(folder: Path) -> SealedLoad:
    """Return what a run's folder holds; raises `MeasurementError` when it is no run or damaged."""
    lines = read_comparison(folder)
    if not lines or not isinstance(lines[0], DesignLine):
        raise MeasurementError(f"{folder} holds no plan", cause="the journal does not open with one")
    design = lines[0].design
    generations = [
        LoadMeasured(line, read_recording(folder, line.requests), read_recording(folder, line.schedule))
        for line in lines
        if isinstance(line, LoadGenerationLine)
    ]
    probes = [line for line in lines if isinstance(line, ProbedLine)]
    ends = [line for line in lines if isinstance(line, ComparisonEndLine)]
    return SealedLoad(
        design=design,
        observations=LoadObservations(len(design.plan.variants), generations),
        probe=msgspec.json.decode(probes[-1].probe, type=Probe) if probes else None,
        end=ends[-1] if ends else None,
    )


def judge_comparison(sealed: SealedLoad, circumstances: Circumstances) -> Result:
    """Return the result of a comparison under load that has ended."""
    plan, observations, end = sealed.design.plan, sealed.observations, sealed.end
    rules = rules_at(plan, observations.count, ended=True, decided=end is not None and end.decided)
    found = load_contrasts(observations, rules) if rules else []
    checks = comparison_checks(sealed.design, observations, sealed.probe)
    checks += [others_check(sealed.end.other_runs)] if sealed.end and sealed.end.other_runs else []
    names = [variant.name for variant in plan.variants]
    changes = fact_changes(sealed.probe, names, deciding=False)
    status = _status(end, checks)
    fault = [text for text in (end.stop_reason, end.cause) if text] if _faulty(end) and end else []
    return Result(
        schema_version=SCHEMA_VERSION,
        run=RunInfo(
            id=circumstances.run_id,
            started_at=circumstances.started_at,
            finished_at=circumstances.finished_at,
            status=status,
            stop_reason=end.stop_reason if end else "killed",
            command=plan.command,
            seed=plan.seed,
            plan_hash=sealed.design.hash,
            loadstone_version=plan.loadstone_version,
            duration_s=circumstances.duration_s,
        ),
        experiment=experiment_of(plan),
        variants=variants_of(plan),
        verdict=judge_timing(found, changes, checks, status, plan, fault),
        contrasts=found,
        generations=_generations(sealed),
        distributions=_distributions(sealed),
        outcomes=_outcomes(sealed),
        probe=sealed.probe,
        facts=changes,
        prices=prices(found, changes, sealed.probe, names),
        checks=checks,
        machine=circumstances.machine,
        sequence=None,
    )


def _faulty(end: ComparisonEndLine | None) -> bool:
    return end is not None and end.status == RunStatus.INVALID


def _status(end: ComparisonEndLine | None, checks: list[Check]) -> RunStatus:
    if _faulty(end) or any(check.status is CheckStatus.FAIL for check in checks):
        return RunStatus.INVALID
    if end is None or end.status == RunStatus.PARTIAL:
        return RunStatus.PARTIAL
    return RunStatus.COMPLETE


def _generations(sealed: SealedLoad) -> list[GenerationInfo]:
    plan, observations = sealed.design.plan, sealed.observations
    names = [variant.name for variant in plan.variants]
    gating = [metric for metric in LOAD_METRICS if metric.name in plan.gating]
    tables = {metric.name: load_levels(observations, metric, None) for metric in gating}
    found = []
    for index, measured in enumerate(observations.generations):
        planned, line = plan.generations[index], measured.line
        effects, levels = {}, {}
        for metric in gating:
            row = tables[metric.name][index : index + 1]
            d, _ = contrasts_of(row, start_positions(plan, index + 1)[index:], log=metric.ratio)
            if math.isfinite(d[0, 0]):
                effects[metric.name] = float(d[0, 0])
                levels[metric.name] = dict(zip(names, map(float, row[0]), strict=True))
        cpu_s = sum(block.generator_cpu_s for block in line.blocks)
        busy_s = sum(block.duration_s for block in line.blocks)
        found.append(
            GenerationInfo(
                index=index,
                start_order=[names[one] for one in planned.start_order],
                slots={name: planned.slots[place] for place, name in enumerate(names)},
                pairs=sum(block.begun for block in line.blocks) // len(names),
                duration_s=line.duration_s,
                effects=effects,
                levels=levels,
                steal=line.steal,
                generator_cpu=cpu_s / busy_s if busy_s else None,
                ended_at=line.ended_at,
            )
        )
    return found


def _distributions(sealed: SealedLoad) -> list[Distribution]:
    """Return the response times of every endpoint and variant, over all generations."""
    whole, found = _whole(sealed), []
    for endpoint in (None, *sealed.observations.endpoints):
        for index, variant in enumerate(sealed.design.plan.variants):
            histogram = whole.histogram("response", variant=index, endpoint=endpoint, outcomes=WELL)
            if not histogram.total:
                continue
            top = 1 - 1 / histogram.total
            found.append(
                Distribution(
                    endpoint=endpoint,
                    variant=variant.name,
                    count=histogram.total,
                    mean_us=histogram.mean_us,
                    quantiles=[(q, smooth_quantile(histogram, q, 0)) for q in _GRID if q <= top],
                )
            )
    return found


def _outcomes(sealed: SealedLoad) -> list[OutcomeCount]:
    counts: Counter[tuple[str, int, str]] = Counter()
    for key, times in _whole(sealed).cells.items():
        counts[key.endpoint, key.variant, key.outcome.label] += times.service.total
    names = [variant.name for variant in sealed.design.plan.variants]
    return [
        OutcomeCount(endpoint=endpoint, variant=names[variant], outcome=outcome, count=count)
        for (endpoint, variant, outcome), count in sorted(counts.items())
    ]


def _whole(sealed: SealedLoad) -> Recording:
    whole = Recording()
    for measured in sealed.observations.generations:
        whole.add(measured.requests)
    return whole
