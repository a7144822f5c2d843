"""Runs of every kind as cards: what a library lists of them, and holds beside another run."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from loadstone.record.capacity_result import Bound, CapacityResult, load_capacity
from loadstone.record.folder import CAPACITY_RESULT, LOAD_RESULT, MATRIX_RESULT, RESULT, load_result
from loadstone.record.load_result import EndpointLoad, LoadResult, Quantiles, read_load_result
from loadstone.record.matrix_result import MatrixResult, load_matrix
from loadstone.record.result import Effect, Machine, Result
from loadstone.report import (
    capacity_page,
    capacity_summary,
    html,
    load_page,
    load_summary,
    matrix_page,
    matrix_summary,
    quantities,
    safe,
    selection,
    wording,
)
from loadstone.report.measures import Measure
from loadstone.verdict import capacity_words

QUANTILES = {0.5: "p50", 0.95: "p95", 0.99: "p99"}
"""Of the response time under load, those that are held beside another run's."""


@dataclass(frozen=True)
class Card:
    """One run."""

    kind: str
    """`comparison`, `load`, `capacity` or `matrix`."""
    id: str
    title: str
    started_at: str
    duration_s: float
    word: str
    """Its verdict, or how it went."""
    badge: str
    symbol: str
    found: str
    note: str
    scenario: str
    size: str
    machine: Machine
    conditions: dict[str, str]
    """What another run must share beside machine, scenario and size."""
    measures: list[Measure]
    render: Callable[[], str]
    """Makes its page."""

    @property
    def identity(self) -> dict[str, str]:
        """Return what two runs must share to be put side by side: kind, machine and workload."""
        machine = self.machine
        return {
            "kind": self.kind,
            "machine": f"{machine.cpu_model}, {machine.cores} cores ({machine.fingerprint})",
            "scenario": self.scenario,
            "size": self.size,
            **self.conditions,
        }


def read_card(folder: Path) -> Card:
    """Return the run in `folder`, or in a result file; raises `ConfigurationError` where there is none."""
    if folder.is_file():
        return (
            MAKERS[folder.name](folder.parent)
            if folder.name in MAKERS
            else of_comparison(load_result(folder))
        )
    for name, make in MAKERS.items():
        if (folder / name).is_file():
            return make(folder)
    return of_comparison(load_result(folder))


def of_comparison(result: Result) -> Card:
    """Return the card of a comparison."""
    verdict, key = result.verdict.verdict, selection.key_contrast(result)
    shown = key is not None and key.effect is not None
    return Card(
        kind="comparison",
        id=result.run.id,
        title=result.experiment.title,
        started_at=result.run.started_at,
        duration_s=result.run.duration_s,
        word=str(verdict),
        badge=str(verdict),
        symbol=wording.VERDICTS[verdict].symbol,
        found=f"{wording.metric_label(key.metric)} {wording.estimate(key.effect, key.unit)}"
        if shown and key and key.effect
        else wording.headline(result),
        note=wording.interval(key.effect, key.unit) if shown and key and key.effect else "",
        scenario=result.experiment.scenario,
        size=result.experiment.size,
        machine=result.machine,
        conditions={"users": str(result.experiment.users), "state": result.experiment.state},
        measures=list(_contrasts(result)),
        render=lambda: html.render(result),
    )


def of_load(result: LoadResult) -> Card:
    """Return the card of one variant under load; its numbers have no intervals."""
    plan = result.plan
    offered = {"offered": plan.rate} if plan.model == "open" else {"users": str(plan.users)}
    known = [(name, value) for name, value in _quantiles(result.overall.response) if math.isfinite(value)]
    return _of_plan(
        result,
        kind="load",
        word=load_summary.word(result),
        badges=load_page.BADGES,
        found=f"{known[-1][0]} {quantities.microseconds(known[-1][1])}"
        if known
        else "no response time known",
        note=load_summary.verdict_line(result) or f"{quantities.significant(result.overall.rps)} requests/s",
        conditions={"model": plan.model, **offered, "workers": str(plan.workers)},
        measures=[one for each in (result.overall, *result.endpoints) for one in _levels(each)],
        render=lambda: load_page.render(result),
    )


def of_capacity(result: CapacityResult) -> Card:
    """Return the card of a search for capacity."""
    plan = result.plan
    return _of_plan(
        result,
        kind="capacity",
        word=capacity_summary.word(result),
        badges=capacity_page.BADGES,
        found="; ".join(f"{one.label} {capacity_words.known(one)}" for one in result.estimates),
        note=f"{capacity_words.unit(result.estimates)} at {capacity_words.objective(plan)}",
        conditions={
            "objective": capacity_words.objective(plan),
            "arrivals": "at random" if plan.poisson else "evenly spaced",
            "workers": str(plan.workers),
            "target's cores": ", ".join(map(str, plan.target_cores)) or "shared",
        },
        measures=list(_capacities(result)),
        render=lambda: capacity_page.render(result),
    )


def of_matrix(result: MatrixResult) -> Card:
    """Return the card of a matrix."""
    plan = result.plan
    return _of_plan(
        result,
        kind="matrix",
        word=matrix_summary.word(result),
        badges=matrix_page.BADGES,
        found=matrix_summary.headline(result),
        note=f"{len(result.cells)} combinations",
        conditions={"toggles": ", ".join(f"{one.name}={one.off}:{one.on}" for one in plan.factors)},
        measures=[
            _change(
                (matrix_summary.LABELS[one.metric].lower(), "", matrix_summary.effect_name(one)),
                one.effect,
                verdict="detected" if one.detected else "not certain",
                margin=plan.margin,
            )
            for one in result.effects
            if one.metric in matrix_summary.LABELS
        ],
        render=lambda: matrix_page.render(result),
    )


def _of_plan(
    result: LoadResult | CapacityResult | MatrixResult,
    *,
    kind: str,
    word: str,
    badges: Mapping[str, str],
    found: str,
    note: str,
    conditions: dict[str, str],
    measures: list[Measure],
    render: Callable[[], str],
) -> Card:
    """Return the card of a run whose plan tells its title, scenario and size."""
    plan = result.plan
    return Card(
        kind=kind,
        id=result.id,
        title=plan.title,
        started_at=result.started_at,
        duration_s=result.duration_s,
        word=word.lower(),
        badge=badges.get(word, "inconclusive"),
        symbol="",
        found=found,
        note=note,
        scenario=plan.scenario,
        size=plan.size,
        machine=result.machine,
        conditions=conditions,
        measures=measures,
        render=render,
    )


MAKERS: dict[str, Callable[[Path], Card]] = {
    CAPACITY_RESULT: lambda folder: of_capacity(load_capacity(folder)),
    MATRIX_RESULT: lambda folder: of_matrix(load_matrix(folder)),
    LOAD_RESULT: lambda folder: of_load(read_load_result(folder)),
    RESULT: lambda folder: of_comparison(load_result(folder)),
}
"""By the file that a run's folder holds; the first that is there tells its kind."""


def _contrasts(result: Result) -> Iterator[Measure]:
    for one in result.contrasts:
        effect = one.effect
        if effect is None or not (math.isfinite(effect.low) and math.isfinite(effect.high)):
            continue
        where = safe.name(one.endpoint) if one.endpoint else ""
        label = safe.name(selection.label_of(result, one.variant), 60)
        yield Measure(
            metric=wording.metric_label(one.metric),
            endpoint=where,
            variant=label,
            value=effect.estimate,
            low=effect.low,
            high=effect.high,
            unit="change" if effect.kind == "ratio" else one.unit,
            text=wording.estimate(effect, one.unit),
            interval=wording.interval(effect, one.unit),
            verdict=str(one.verdict or ""),
            margin=one.margin,
            trend=effect.kind == "ratio"
            and (one.metric == "latency_mean" or (one.gating and one.endpoint is None)),
        )


def _levels(one: EndpointLoad) -> Iterator[Measure]:
    where = safe.name(one.endpoint) if one.endpoint else ""
    yield _level(("requests per second", where, ""), one.rps, "requests/s", trend=not where)
    share = one.errors / one.requests if one.requests else math.nan
    yield _level(("failed requests", where, ""), share, "share", trend=not where)
    for name, value in _quantiles(one.response):
        yield _level((f"{name} response time", where, ""), value, "us", trend=name != "p50" or not where)


def _quantiles(times: Quantiles) -> Iterator[tuple[str, float]]:
    values = dict(times.values)
    for q, name in QUANTILES.items():
        value = values.get(q)
        yield name, math.nan if value is None else value


def _level(key: tuple[str, str, str], value: float, unit: str, *, trend: bool) -> Measure:
    known = math.isfinite(value)
    text = quantities.quantity(value, unit) if known else "not known"
    return Measure(*key, value, None, None, unit, text, "", trend=trend and known)


def _capacities(result: CapacityResult) -> Iterator[Measure]:
    unit = capacity_words.unit(result.estimates)
    for one in result.estimates:
        size = capacity_words.with_processes(one.processes)
        metric = f"capacity{f' with {size}' if size else ''}"
        found = one.bound is Bound.FOUND and one.rps is not None
        told, _, interval = capacity_words.known(one).partition(" (")
        yield Measure(
            metric=metric,
            endpoint="",
            variant=safe.name(one.label, 60),
            value=one.rps if found and one.rps is not None else math.nan,
            low=one.low_rps if found else None,
            high=one.high_rps if found else None,
            unit=unit,
            text=f"{told} {unit}" if one.rps is not None else told,
            interval=interval.removesuffix(")"),
            trend=found,
        )


def _change(key: tuple[str, str, str], effect: Effect, *, verdict: str, margin: float) -> Measure:
    return Measure(
        *key,
        effect.estimate,
        effect.low,
        effect.high,
        "change",
        wording.estimate(effect, "share"),
        wording.interval(effect, "share"),
        verdict=verdict,
        margin=margin,
    )
