"""Absolute budgets of the head, held against what was measured of it: `p99<200ms`, `errors<0.1%`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from loadstone.config.thresholds import Threshold, Unit
from loadstone.record.gated import GateFinding, Kind, Status
from loadstone.record.observations import LABEL_OF_CLASS
from loadstone.record.result import Distribution, OutcomeCount, Result
from loadstone.report import quantities, selection

AFTER = "after"
UNITS = {Unit.MICROSECONDS: "us", Unit.SHARE: "share", Unit.PER_SECOND: "rps"}
REMEDY = "mend the change, raise the budget, or accept it with a reason"


def judge_budget(experiment: str, budget: Threshold, result: Result) -> GateFinding:
    """Return how the head keeps a budget; the base's own level is told beside it, and does not decide."""
    base = result.variants[0].name
    before, after = (level(budget, result, variant) for variant in (base, AFTER))
    unit = UNITS[budget.unit]
    if after is None:
        seen = ", ".join(selection.endpoints(result)) or "none"
        status, message = Status.INCONCLUSIVE, f"{budget.text} cannot be told: too few requests of it"
        remedy = f"give it more time, or correct the endpoint's name: seen were {seen}"
    elif budget.holds(after):
        status, message = Status.HELD, f"{budget.text}: {quantities.quantity(after, unit)}"
        remedy = ""
    else:
        told = quantities.quantity(before, unit) if before is not None else "not measured"
        broken = before is not None and not budget.holds(before)
        message = f"{budget.text} is broken: {quantities.quantity(after, unit)}, the base {told}"
        message += ", which breaks it too" if broken else ""
        status, remedy = Status.FAILED, REMEDY
    return GateFinding(
        experiment=experiment,
        kind=Kind.BUDGET,
        subject=budget.text,
        endpoint=budget.endpoint,
        status=status,
        message=message,
        remedy=remedy,
        before=before,
        after=after,
        unit=unit,
    )


def level(budget: Threshold, result: Result, variant: str) -> float | None:
    """Return what a budget limits, in its unit; None where it cannot be told."""
    if budget.measure in {"errors", "class"}:
        return _share(budget, [one for one in result.outcomes if one.variant == variant])
    found = [
        one for one in result.distributions if one.variant == variant and one.endpoint == budget.endpoint
    ]
    return _time(budget, found[0]) if found else None


def _share(budget: Threshold, counts: Sequence[OutcomeCount]) -> float | None:
    own = [one for one in counts if budget.endpoint in {None, one.endpoint}]
    requests = sum(one.count for one in own)
    if budget.measure == "errors":
        hit = sum(one.count for one in own if one.outcome not in {"ok", "3xx"})
    else:
        names = {budget.outcome, LABEL_OF_CLASS.get(budget.outcome, "")}
        hit = sum(one.count for one in own if one.outcome in names)
    return hit / requests if requests else None


def _time(budget: Threshold, found: Distribution) -> float | None:
    """Return a mean, or a quantile between those that are recorded; never one beyond the last."""
    if budget.measure == "mean":
        return found.mean_us
    q = budget.quantile
    for (left, low), (right, high) in pairwise(found.quantiles):
        if left <= q <= right:
            return low + (high - low) * ((q - left) / (right - left) if right > left else 0.0)
    return None
