"""The result of a search for capacity, from its sealed data alone."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

import numpy as np

from loadstone.errors import ExitCode
from loadstone.record.capacity_record import CapacityPlan
from loadstone.record.capacity_result import (
    CAPACITY_SCHEMA_VERSION,
    Bound,
    CapacityEstimate,
    CapacityGain,
    CapacityResult,
)
from loadstone.record.result import Check, CheckStatus, Machine, RunStatus
from loadstone.stats.capacity import Limit, Trial, combine_gains, combine_searches, knee
from loadstone.stats.verdicts import Direction, Verdict, exceeds_margin, judge, log_margin
from loadstone.verdict.capacity_checks import capacity_checks
from loadstone.verdict.capacity_scalability import scalability
from loadstone.verdict.capacity_searches import SealedCapacity, WalkedSearch, search_result
from loadstone.verdict.capacity_window import parse_objective, shown_limit_us
from loadstone.verdict.capacity_words import headline, rate

SAME_RATE = 1.02
"""Windows whose rates differ by less are one point of a curve."""
KNEE_POINTS = 4
KNEE_CAP = 1.5
"""Times the limit: how slow an overloaded server becomes depends on the window's length alone."""
_BOUNDED = {Limit.GENERATOR, Limit.CEILING}


def judge_capacity(sealed: SealedCapacity, run: tuple[str, str], machine: Machine) -> CapacityResult:
    """Return the result of a search.

    Args:
        sealed: the plan, and every search walked through its windows.
        run: its id, and when it started.
        machine: on which it ran.
    """
    plan, end = sealed.plan, sealed.end
    estimates = [
        _estimate(sealed, variant, size) for size in plan.sizes for variant in range(len(plan.variants))
    ]
    gains = [
        _gain(sealed, estimates, variant, size)
        for size in plan.sizes
        for variant in range(1, len(plan.variants))
    ]
    laws = [
        scalability(sealed, variant, [one for one in estimates if one.variant == variant], machine.cores)
        for variant in range(len(plan.variants))
        if plan.processes
    ]
    checks = capacity_checks(sealed)
    failed = any(one.status is CheckStatus.FAIL for one in checks)
    status = end.status if end else str(RunStatus.PARTIAL)
    if failed:
        status = str(RunStatus.INVALID)
    return CapacityResult(
        schema_version=CAPACITY_SCHEMA_VERSION,
        id=run[0],
        started_at=run[1],
        finished_at=end.at if end else "",
        duration_s=end.duration_s if end else 0.0,
        status=status,
        stop_reason=end.stop_reason if end else "it was cut short",
        plan=plan,
        headline=headline(plan, estimates, gains, laws),
        sendable_rps=sealed.sendable_rps,
        estimates=estimates,
        gains=gains,
        scalability=laws,
        searches=[search_result(each) for each in sealed.searches],
        windows=[window.result for each in sealed.searches for window in each.windows],
        checks=checks,
        machine=machine,
        exit_code=int(_exit_code(status, estimates, gains, plan, checks)),
    )


def _estimate(sealed: SealedCapacity, variant: int, size: int) -> CapacityEstimate:
    own = [one for one in sealed.searches if (one.line.variant, one.line.processes) == (variant, size)]
    whole = [one for one in own if one.search.limit not in {None, Limit.TRIES}]
    bound, rps, low, high, note = _known(own, whole, sealed.plan.level)
    return CapacityEstimate(
        variant=variant,
        label=sealed.plan.variants[variant].label,
        processes=size,
        bound=bound,
        rps=rps,
        low_rps=low,
        high_rps=high,
        searches=len(whole),
        note=note,
        requests_per_arrival=_per_arrival(own),
        knee_rps=_knee(own, sealed.plan),
    )


def _per_arrival(own: Sequence[WalkedSearch]) -> float:
    """Return the requests of an arrival in all whole, valid windows; of the warm-up where there are none."""
    windows = [
        one
        for each in own
        for one in each.windows
        if one.judged.trial is not Trial.INVALID and not one.result.cut_short
    ]
    if windows:
        begun = sum(one.line.block.begun for one in windows)
        return sum(one.result.requests for one in windows) / max(begun, 1)
    return statistics.fmean([one.line.requests_per_arrival for one in own]) if own else 1.0


def _known(
    own: Sequence[WalkedSearch], whole: Sequence[WalkedSearch], level: float
) -> tuple[Bound, float | None, float | None, float | None, str]:
    """Return (bound, rate, low, high, note) of one variant's searches."""
    if not whole:
        return Bound.UNKNOWN, None, None, None, _so_far(own)
    bounded = [one for one in whole if one.search.limit in _BOUNDED]
    floors = [one for one in whole if one.search.limit is Limit.FLOOR]
    least = min(one.search.capacity_rps for one in whole)
    if bounded:
        why = search_result(bounded[-1]).reason
        return (
            (Bound.AT_LEAST, least, None, None, why) if least > 0 else (Bound.UNKNOWN, None, None, None, why)
        )
    if len(floors) == len(whole):
        top = max(one.line.least_rps for one in whole)
        return Bound.BELOW, top, None, None, search_result(floors[-1]).reason
    if floors:
        told = f"{len(floors)} of {len(whole)} searches found no rate that keeps the objective"
        return Bound.UNKNOWN, None, None, None, told
    if len(whole) == 1:
        return Bound.FOUND, least, None, None, "searched once: there is no interval"
    found = combine_searches([one.search for one in whole], level)
    return Bound.FOUND, found.rps, found.low_rps, found.high_rps, ""


def _so_far(own: Sequence[WalkedSearch]) -> str:
    """Return what unfinished searches know."""
    kept = max((one.search.bracket[0] for one in own), default=0.0)
    broken = min((one.search.bracket[1] for one in own), default=math.inf)
    if not kept and math.isinf(broken):
        return "no valid window was measured"
    ends = [f"{rate(kept)}/s kept the objective"] if kept else []
    ends += [f"{rate(broken)}/s broke it"] if math.isfinite(broken) else []
    return "no search came to its end: " + ", ".join(ends)


def _gain(
    sealed: SealedCapacity, estimates: Sequence[CapacityEstimate], variant: int, size: int
) -> CapacityGain:
    before, after = (
        next(one for one in estimates if (one.variant, one.processes) == (which, size))
        for which in (0, variant)
    )
    ratio, low, high, pairs, bound = None, None, None, 0, Bound.UNKNOWN
    if before.bound is after.bound is Bound.FOUND:
        ratio, low, high, pairs = _paired(sealed, variant, size)
        bound = Bound.FOUND if pairs else Bound.UNKNOWN
    elif before.bound is Bound.FOUND and after.bound is Bound.AT_LEAST and before.rps and after.rps:
        low = after.rps / (before.high_rps or before.rps)
        ratio, bound = low, Bound.AT_LEAST
    elif before.bound is Bound.AT_LEAST and after.bound is Bound.FOUND and before.rps and after.rps:
        high = (after.high_rps or after.rps) / before.rps
        ratio, bound = high, Bound.BELOW
    verdict = Verdict.INCONCLUSIVE
    if low is not None or high is not None:
        ends = (math.log(low) if low else -math.inf, math.log(high) if high else math.inf)
        verdict = judge(*ends, log_margin(sealed.plan.margin), Direction.HIGHER)
    return CapacityGain(
        variant=variant,
        processes=size,
        bound=bound,
        ratio=ratio,
        low=low,
        high=high,
        pairs=pairs,
        verdict=str(verdict),
    )


def _paired(
    sealed: SealedCapacity, variant: int, size: int
) -> tuple[float | None, float | None, float | None, int]:
    """Return (ratio, low, high, pairs) over the generations in which both searches found a capacity."""
    found = {
        (one.line.generation, one.line.variant): one.search
        for one in sealed.searches
        if one.search.limit is Limit.OBJECTIVE and one.line.processes == size
    }
    both = [
        (search, found[generation, variant])
        for (generation, which), search in found.items()
        if which == 0 and (generation, variant) in found
    ]
    if not both:
        return None, None, None, 0
    if len(both) == 1:
        (one, other), *_ = both
        return other.capacity_rps / one.capacity_rps, None, None, 1
    gain = combine_gains([one for one, _ in both], [other for _, other in both], sealed.plan.level)
    return gain.ratio, gain.low, gain.high, gain.pairs


def _knee(own: Sequence[WalkedSearch], plan: CapacityPlan) -> float | None:
    """Return the rate at the knee of all windows' response times, or None where they make no curve."""
    limit_us = shown_limit_us(parse_objective(plan))
    valid = [one for each in own for one in each.windows if one.judged.trial is not Trial.INVALID]
    if limit_us is None or not valid:
        return None
    points: list[tuple[float, list[float]]] = []
    for one in sorted(valid, key=lambda each: each.line.rate_rps):
        latency = min(one.result.latency_us or math.inf, KNEE_CAP * limit_us)
        if points and one.line.rate_rps < points[-1][0] * SAME_RATE:
            points[-1][1].append(latency)
        else:
            points.append((one.line.rate_rps, [latency]))
    if len(points) < KNEE_POINTS:
        return None
    rates = np.array([at for at, _ in points])
    latencies = np.array([statistics.median(values) for _, values in points])
    return float(rates[knee(rates, latencies)])


def _exit_code(
    status: str,
    estimates: Sequence[CapacityEstimate],
    gains: Sequence[CapacityGain],
    plan: CapacityPlan,
    checks: Sequence[Check],
) -> ExitCode:
    """A capacity that is known in part is an answer; none at all is not."""
    del checks
    if status == RunStatus.INVALID:
        return ExitCode.INVALID
    if status == RunStatus.PARTIAL:
        return ExitCode.INTERRUPTED
    if any(one.bound is Bound.BELOW for one in estimates) or any(_worse(one, plan) for one in gains):
        return ExitCode.REGRESSED
    unknown = [one for one in estimates if one.bound is Bound.UNKNOWN]
    if not unknown:
        return ExitCode.OK
    return ExitCode.INVALID if any(one.searches for one in unknown) else ExitCode.INCONCLUSIVE


def _worse(gain: CapacityGain, plan: CapacityPlan) -> bool:
    if gain.ratio is None or (gain.low is None and gain.high is None):
        return False
    low, high = (
        (math.log(gain.low) if gain.low else -math.inf),
        (math.log(gain.high) if gain.high else math.inf),
    )
    return exceeds_margin(
        math.log(gain.ratio), low, high, log_margin(plan.margin), direction=Direction.HIGHER
    )
