"""The result of a matrix, from the results of its comparisons alone."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace

from loadstone.errors import ExitCode
from loadstone.record.matrix_result import (
    MATRIX_SCHEMA_VERSION,
    MatrixCell,
    MatrixEffect,
    MatrixPlan,
    MatrixResult,
    MatrixStep,
)
from loadstone.record.probed import Footprint
from loadstone.record.result import Check, CheckStatus, Effect, Machine, Result, RunStatus
from loadstone.stats import factorial
from loadstone.stats.factorial import Block, Estimate, Signs, Term

METRICS = ("latency_mean", "cpu")
"""Of which effects are told; steps and front are of the first."""
BASE = "before"


@dataclass(frozen=True)
class Told:
    """How a matrix went, beside what it measured."""

    id: str
    started_at: str
    finished_at: str
    duration_s: float
    stop_reason: str
    interrupted: bool
    machine: Machine


def judge_matrix(plan: MatrixPlan, results: Sequence[Result], told: Told) -> MatrixResult:
    """Return what the comparisons say together; effects only where every combination was measured."""
    signs = np.where(np.array(plan.cells), 1, -1).astype(np.int64)
    checks = _checks(plan, results)
    invalid = any(check.status is CheckStatus.FAIL for check in checks)
    blocks = {metric: _blocks(plan, results, metric) for metric in METRICS}
    whole = len(results) == len(plan.blocks)
    effects = [
        effect
        for metric in METRICS
        if whole and len(blocks[metric]) == len(plan.blocks)
        for effect in _effects(plan, signs, blocks[metric], metric)
    ]
    status = RunStatus.INVALID if invalid else RunStatus.COMPLETE if whole else RunStatus.PARTIAL
    exit_code = ExitCode.INVALID if invalid else ExitCode.OK
    return MatrixResult(
        schema_version=MATRIX_SCHEMA_VERSION,
        id=told.id,
        started_at=told.started_at,
        finished_at=told.finished_at,
        duration_s=told.duration_s,
        status=str(status),
        stop_reason=told.stop_reason,
        plan=plan,
        effects=effects,
        cells=_cells(plan, signs, results, blocks),
        steps=_steps(plan, signs, blocks[METRICS[0]], _base_level(results)) if effects else [],
        runs=[result.run.id for result in results],
        checks=checks,
        machine=told.machine,
        exit_code=int(ExitCode.INTERRUPTED if told.interrupted else exit_code),
    )


def _blocks(plan: MatrixPlan, results: Sequence[Result], metric: str) -> list[Block]:
    """Return the log ratios of each comparison in which every cell has the metric in every generation."""
    found = []
    for cells, result in zip(plan.blocks, results, strict=False):
        names = [variant.name for variant in result.variants[1:]]
        rows = [one.levels.get(metric, {}) for one in result.generations]
        whole = [row for row in rows if set(row) >= {BASE, *names} and min(row.values()) > 0]
        if len(whole) >= factorial.FEWEST and len(whole) == len(rows):
            logs = np.array([[math.log(row[name] / row[BASE]) for name in names] for row in whole])
            found.append(Block(tuple(cells), logs))
    return found


def _effects(plan: MatrixPlan, signs: Signs, blocks: list[Block], metric: str) -> list[MatrixEffect]:
    """Return the effects of one metric; alpha is divided among them."""
    told = [one for one in factorial.terms(len(plan.factors)) if not _told_before(signs, one)]
    p = plan.alpha / len(told)
    return [_effect(plan, signs, blocks, metric, term, p) for term in told]


def _told_before(signs: Signs, term: Term) -> bool:
    """Tell whether an earlier term stands for this one as well."""
    return any(other < term for other in factorial.aliases(signs, term) if len(other) == len(term))


def _effect(
    plan: MatrixPlan, signs: Signs, blocks: list[Block], metric: str, term: Term, p: float
) -> MatrixEffect:
    estimate = factorial.term_estimate(signs, blocks, term)
    names = [factor.name for factor in plan.factors]
    # an interaction is half the difference of two logs: its ratio is that of the two effects
    effect = _ratio(estimate, p, times=float(len(term)))
    return MatrixEffect(
        metric=metric,
        factors=[names[one] for one in term],
        effect=effect,
        df=min(estimate.df, 1e6),
        detected=effect.low > 0 or effect.high < 0,
        aliases=[[names[each] for each in other] for other in factorial.aliases(signs, term)],
    )


def _ratio(estimate: Estimate, p: float, *, times: float = 1.0) -> Effect:
    low, high = estimate.interval(p)
    return Effect(
        kind="ratio",
        estimate=math.expm1(times * estimate.value),
        low=math.expm1(times * low),
        high=math.expm1(times * high),
        level=1 - p,
    )


def _cells(
    plan: MatrixPlan, signs: Signs, results: Sequence[Result], blocks: Mapping[str, list[Block]]
) -> list[MatrixCell]:
    base_us = _base_level(results)
    p = plan.alpha / (len(plan.cells) - 1)
    found = [_cell(plan, (), 0, base_us, None, None, 0, 0)]
    for members, result in zip(plan.blocks, results, strict=False):
        for place, cell in enumerate(members, start=1):
            latency, cpu = (_cell_ratio(signs, blocks[metric], cell, p) for metric in METRICS)
            if latency is None:
                continue
            name = result.variants[place].name
            worse = sum(one.variant == name for one in result.prices or [])
            extra = _extra_bytes(result, name)
            level = base_us * (1 + latency.estimate)
            found.append(_cell(plan, (result.run.id,), cell, level, latency, cpu, extra, worse))
    best = set(factorial.front([(one.latency_us, float(one.extra_bytes or 0)) for one in found]))
    return [replace(one, best=place in best) for place, one in enumerate(found)]


def _cell(
    plan: MatrixPlan,
    run: Sequence[str],
    cell: int,
    latency_us: float,
    latency: Effect | None,
    cpu: Effect | None,
    extra_bytes: int | None,
    worse: int,
) -> MatrixCell:
    chosen = plan.cells[cell]
    on = [factor.name for factor, is_on in zip(plan.factors, chosen, strict=True) if is_on]
    label = ", ".join(
        f"{factor.name}={factor.on if is_on else factor.off}"
        for factor, is_on in zip(plan.factors, chosen, strict=True)
    )
    return MatrixCell(
        on=on,
        label=label,
        run="".join(run),
        latency_us=latency_us,
        latency=latency,
        cpu=cpu,
        extra_bytes=extra_bytes,
        worse=worse,
        best=False,
    )


def _cell_ratio(signs: Signs, blocks: list[Block], cell: int, p: float) -> Effect | None:
    if not any(cell in block.cells for block in blocks):
        return None
    return _ratio(factorial.cell_estimate(signs, blocks, cell), p)


def _steps(plan: MatrixPlan, signs: Signs, blocks: list[Block], base_us: float) -> list[MatrixStep]:
    """Return the way from everything off to everything on, what gains most first."""
    if plan.half:
        main = [factorial.term_estimate(signs, blocks, (one,)).value for one in range(signs.shape[1])]
        signs = factorial.design(len(plan.factors))
        logs = factorial.predicted(signs, main)
    else:
        logs = {cell: factorial.cell_estimate(signs, blocks, cell).value for cell in range(1, len(signs))}
        logs[0] = 0.0
    path = factorial.best_path(signs, logs)
    found = []
    for last, cell in itertools.pairwise(path):
        factor = plan.factors[int(np.flatnonzero(signs[cell] != signs[last])[0])]
        found.append(
            MatrixStep(
                factor=factor.name,
                latency_us=base_us * math.exp(logs[cell]),
                change=math.expm1(logs[cell] - logs[last]),
                predicted=plan.half,
            )
        )
    return found


def _base_level(results: Sequence[Result]) -> float:
    """Return the geometric mean of the base's mean latency over all generations, in microseconds."""
    levels = [
        level
        for result in results
        for one in result.generations
        if (level := one.levels.get(METRICS[0], {}).get(BASE)) is not None and level > 0
    ]
    return float(np.exp(np.mean(np.log(levels)))) if levels else 0.0


def _extra_bytes(result: Result, variant: str) -> int | None:
    held = {one.variant: one for one in (result.probe.footprints if result.probe else [])}
    if BASE not in held or variant not in held:
        return None
    return _bytes(held[variant]) - _bytes(held[BASE])


def _bytes(held: Footprint) -> int:
    return sum(
        part or 0 for part in (held.memory_bytes, held.table_bytes, held.index_bytes, held.cache_bytes)
    )


def _checks(plan: MatrixPlan, results: Sequence[Result]) -> list[Check]:
    """Return a check for each comparison, and one for whether all were made."""
    found = [
        Check(
            name=f"part {number}",
            status=_worst(result),
            message=f"{len(result.generations)} of {plan.generations} generations, "
            + (told if (told := _problems(result)) else "every check passed"),
            remedy=f"see its own report: {result.run.id}" if _problems(result) else "",
        )
        for number, result in enumerate(results, start=1)
    ]
    missing = len(plan.blocks) - len(results)
    found.append(
        Check(
            name="combinations",
            status=CheckStatus.WARN if missing else CheckStatus.OK,
            message=f"{missing} of {len(plan.blocks)} comparisons were not made"
            if missing
            else f"all {len(plan.cells)} planned combinations were measured",
            remedy="effects need them all: repeat the matrix" if missing else "",
        )
    )
    return found


def _worst(result: Result) -> CheckStatus:
    if result.run.status is RunStatus.INVALID:
        return CheckStatus.FAIL
    return CheckStatus.WARN if _problems(result) else CheckStatus.OK


def _problems(result: Result) -> str:
    told = [one.name for one in result.checks if one.status is not CheckStatus.OK]
    return f"failed or doubtful: {', '.join(told)}" if told else ""
