"""Capacity over numbers of processes: the Universal Scalability Law, where it can be told."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from loadstone.errors import MeasurementError
from loadstone.record.capacity_result import Bound, CapacityEstimate, ProcessesNeeded, ScalabilityResult
from loadstone.stats.capacity import Limit
from loadstone.stats.scalability import MOST_PROCESSES, Scalability, fit_scalability, processes_for
from loadstone.verdict.capacity_searches import SealedCapacity
from loadstone.verdict.capacity_words import known, with_processes

BEYOND = 2.0
"""The curve is drawn to this many times the most processes that were measured."""
MOST_POINTS = 64
WIDE = 0.3
"""Relative half-width of the fit's interval from which on it is called wide."""
SURE = 0.975


def scalability(
    sealed: SealedCapacity, variant: int, estimates: Sequence[CapacityEstimate], cores: int
) -> ScalabilityResult:
    """Return the law fitted to one variant's searches, or why it cannot be."""
    plan = sealed.plan
    label = plan.variants[variant].label
    for one in estimates:
        if one.bound is not Bound.FOUND:
            why = f"the capacity with {with_processes(one.processes)} is {known(one)}"
            return ScalabilityResult(variant=variant, label=label, unavailable=why)
    points = [
        (one.line.processes, one.search.capacity_rps)
        for one in sealed.searches
        if one.line.variant == variant and one.search.limit is Limit.OBJECTIVE
    ]
    sizes = np.array([float(n) for n, _ in points])
    try:
        fitted = fit_scalability(
            sizes, np.array([rps for _, rps in points]), plan.seed, "capacity", "usl", variant
        )
    except MeasurementError as error:
        why = f"{error.problem}: {error.cause}" if error.cause else error.problem
        return ScalabilityResult(variant=variant, label=label, unavailable=why, points=points)
    most = max(plan.processes)
    needed = _needed(fitted, plan.for_rps, most, plan.level)
    return ScalabilityResult(
        variant=variant,
        label=label,
        unavailable="",
        rate_one_rps=fitted.rate_one,
        contention=fitted.contention,
        coherency=fitted.coherency,
        residual_sd=fitted.residual_sd,
        peak_processes=fitted.peak_processes if fitted.peak_processes < MOST_PROCESSES else None,
        points=points,
        curve=_curve(fitted, most, plan.level),
        needed=needed,
        caution=_caution(fitted, most, needed, cores, plan.level),
    )


def _needed(fitted: Scalability, rps: float | None, most: int, level: float) -> ProcessesNeeded | None:
    if rps is None:
        return None
    told = processes_for(fitted, rps, most, level)
    return ProcessesNeeded(
        rps=rps,
        needed=told.needed,
        low=told.low,
        high=told.high,
        attainable=told.attainable,
        extrapolated=told.extrapolated,
    )


def _curve(fitted: Scalability, most: int, level: float) -> list[tuple[int, float, float, float]]:
    wanted = np.unique(np.linspace(1, BEYOND * most, MOST_POINTS).round().astype(int)).tolist()
    return [
        (n, float(fitted.throughput(np.array([float(n)]))[0]), *fitted.throughput_interval(n, level))
        for n in wanted
    ]


def _caution(fitted: Scalability, most: int, needed: ProcessesNeeded | None, cores: int, level: float) -> str:
    """Return what the fit cannot tell, in words."""
    told = []
    low, high = fitted.throughput_interval(most, level)
    middle = float(fitted.throughput(np.array([float(most)]))[0])
    if high - low > 2 * WIDE * middle:
        told.append(f"the searches differ too much for a sharp fit (±{(high - low) / middle / 2:.0%})")
    if most > cores:
        told.append(f"this machine has {cores} cores: more processes than that say little of a larger one")
    if needed is not None and needed.extrapolated and needed.needed is not None:
        told.append(f"beyond {most} processes nothing was measured: the answer is extrapolated")
    if needed is not None and needed.attainable < SURE:
        told.append(f"in {1 - needed.attainable:.0%} of the possible fits that rate is never reached")
    return "; ".join(told)
