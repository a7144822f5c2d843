"""What one window at one rate shows: kept, broken, or nothing, because it must not be believed.

The checks are those of a load run. A window in which the generator was late, busy or
short of users says nothing about the server, whatever its response times were.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from loadstone.config.capacity import longest_us
from loadstone.config.thresholds import Threshold, Unit, parse_thresholds
from loadstone.gate.thresholds import ENDLESS, Finding, Status, Tally, Watch, feed, merge, watch_all
from loadstone.record.capacity_record import CapacityPlan, WindowLine
from loadstone.record.recording import Cells, Recording, Time
from loadstone.record.result import CheckStatus
from loadstone.stats.capacity import Trial
from loadstone.verdict.load_checks import DISPATCH, generator_checks, open_checks
from loadstone.verdict.offered import tallies

LEAST_BEYOND = 2
"""Requests that a window should have beyond a limited quantile: one alone is chance."""
MOST_LENGTHS = 4
"""Window lengths that a window may take at a rate too low to tell the objective in one."""
JOURNEY_SLACK = 1.5
"""By how much journeys may have more requests than those of the warm-up."""
RANDOM_SLACK = 5.0
"""Standard deviations by which arrivals at random may be more than expected."""
HOPELESS = "the objective could not be kept any more"


@dataclass(frozen=True, slots=True)
class JudgedWindow:
    """A window with what it showed."""

    trial: Trial
    problems: tuple[str, ...]
    """Why it is invalid."""
    findings: tuple[Finding, ...]
    lost: tuple[str, ...]
    """Thresholds that could not be kept any more when the window was given up."""
    unknown: tuple[str, ...]
    """Thresholds that a window which nothing else speaks against could not tell."""
    lag_us: float


def parse_objective(plan: CapacityPlan) -> tuple[Threshold, ...]:
    """Return the thresholds of the plan."""
    return tuple(one for text in plan.objective for one in parse_thresholds(text))


def judge_window(
    plan: CapacityPlan, line: WindowLine, requests: Recording, schedule: Recording
) -> JudgedWindow:
    """Return what a window showed."""
    objective = parse_objective(plan)
    watches = watch_all(objective)
    _feed(watches, requests, line)
    findings = tuple(watch.finding() for watch in watches)
    checks = open_checks(line.block, schedule, plan.most_lag_us, line.seconds)
    checks += generator_checks(line.block, plan.workers)
    problems = [one.message for one in checks if one.status is CheckStatus.FAIL]
    problems += _crowded(plan, line, objective)
    most = most_requests(plan, line.rate_rps * line.seconds, line.requests_per_arrival)
    # too little may be there to tell a quantile, but not to tell that it is lost
    lost = hopeless(objective, requests.cells, most) if line.block.aborted else ()
    broken = bool(lost) or any(one.status is Status.BROKEN for one in findings)
    unknown = () if broken else tuple(one.threshold.text for one in findings if one.status is Status.UNKNOWN)
    told = () if problems else unknown
    problems += [f"too few requests to tell {', '.join(unknown)}"] if unknown else []
    seen = Trial.BROKEN if broken else Trial.KEPT
    lag_us = schedule.quantile(0.99, "lag", endpoint=DISPATCH).value_us
    return JudgedWindow(Trial.INVALID if problems else seen, tuple(problems), findings, lost, told, lag_us)


def hopeless(objective: Sequence[Threshold], cells: Cells, most: int) -> tuple[str, ...]:
    """Return the thresholds that a window which goes on can no longer keep, however fast the rest is.

    Args:
        objective: what is to be kept.
        cells: what was recorded so far.
        most: requests that the whole window may have.
    """
    by_endpoint = tallies(cells)
    together = merge(by_endpoint.values())
    nothing = Tally({})
    return tuple(
        one.text
        for one in objective
        if not one.window_s
        and one.operator.startswith("<")
        and _lost(one, together if one.endpoint is None else by_endpoint.get(one.endpoint, nothing), most)
    )


def most_requests(plan: CapacityPlan, planned: float, requests_per_arrival: float) -> int:
    """Return how many requests a window of `planned` arrivals may have at most.

    Args:
        plan: says whether arrivals come at random.
        planned: expected arrivals.
        requests_per_arrival: of the warm-up; journeys may have more.
    """
    arrivals = planned + (RANDOM_SLACK * math.sqrt(planned) if plan.poisson else 0.0)
    return math.ceil(
        arrivals * requests_per_arrival * (1.0 if requests_per_arrival == 1.0 else JOURNEY_SLACK)
    )


def window_seconds(plan: CapacityPlan, rate_rps: float, requests_per_arrival: float) -> float:
    """Return how long a window at a rate must be: whole seconds, with enough requests for the objective."""
    needed_s = requests_needed(parse_objective(plan)) / (rate_rps * requests_per_arrival)
    return float(min(max(plan.window_s, math.ceil(needed_s)), MOST_LENGTHS * plan.window_s))


def least_rate(plan: CapacityPlan, requests_per_arrival: float) -> float:
    """Return the lowest rate at which the longest window has enough requests."""
    needed = max(1.0, requests_needed(parse_objective(plan)))
    return needed / (MOST_LENGTHS * plan.window_s * requests_per_arrival)


def requests_needed(objective: Sequence[Threshold]) -> float:
    """Return how many requests a window should have, so that quantiles are not single requests."""
    return max((LEAST_BEYOND / (1 - one.quantile) for one in objective if one.quantile), default=1.0)


def shown_quantile(objective: Sequence[Threshold]) -> tuple[float, Time, str | None]:
    """Return what a picture shows: (quantile, time, endpoint) of the first quantile that is limited."""
    for one in objective:
        if one.measure == "quantile":
            return one.quantile, cast("Time", one.time), one.endpoint
    return 0.99, "response", None


def shown_limit_us(objective: Sequence[Threshold]) -> float | None:
    """Return the limit of what a picture shows, in microseconds; None where there is none."""
    return next((one.limit for one in objective if one.measure == "quantile"), None)


def _feed(watches: Sequence[Watch], requests: Recording, line: WindowLine) -> None:
    """Give the window second by second; what ended after its last one belongs to that."""
    seconds = math.ceil(line.seconds)
    ends = max([seconds, *(window.start_s + window.width_s for window in requests.windows)])
    for second in range(seconds):
        until = second + 1 if second < seconds - 1 else ends
        cells = requests.between(second, until).cells
        share = min(1.0, line.seconds - second)
        feed(watches, tallies(cells), line.rate_rps * share)


def _crowded(plan: CapacityPlan, line: WindowLine, objective: Sequence[Threshold]) -> list[str]:
    """Work that was never sent is the server's doing only where more users than it may keep busy were there.

    By Little's law a server that keeps the objective has at most rate times limit requests
    at once: with fewer users than that the generator, not the server, was short of them.
    """
    needed = line.rate_rps * longest_us(objective) / 1e6
    if not line.block.not_sent or plan.most_users >= needed:
        return []
    return [f"{plan.most_users} users are too few for {line.rate_rps:,.0f}/s: allow more with --most-users"]


def _lost(one: Threshold, tally: Tally, most: int) -> bool:
    outcomes: Mapping[str, int] = tally.outcomes
    if one.measure in {"errors", "class"}:
        total = sum(outcomes.values())
        well = outcomes.get("ok", 0) + outcomes.get("3xx", 0)
        hit = total - well if one.measure == "errors" else outcomes.get(one.outcome, 0)
        return not one.holds(hit / most)
    if one.unit is not Unit.MICROSECONDS or one.measure not in {"quantile", "max"}:
        return False
    over = sum(count for us, count in tally.times_us.get(one.time, {}).items() if not one.holds(us))
    over += sum(outcomes.get(name, 0) for name in (ENDLESS[1:] if one.time == "lag" else ENDLESS))
    return over > most - math.ceil(round((one.quantile or 1.0) * most, 9))
