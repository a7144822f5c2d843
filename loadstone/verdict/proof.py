"""Did a comparison show what was expected? From its result to confirmed, not confirmed or inconclusive.

A change of at least E is confirmed where the whole interval lies at E or beyond,
not confirmed where the whole interval falls short of E, and inconclusive where
it holds E. A change of at most E is confirmed where the whole interval lies at E or
below, and not confirmed where all of it lies beyond. Exact facts have no interval:
the count decides.
"""

from __future__ import annotations

import math

from loadstone.config.expectations import Expectation
from loadstone.record.probed import FactChange
from loadstone.record.proof import Finding, Proven
from loadstone.record.result import Contrast, Result, RunStatus
from loadstone.stats.verdicts import Direction, Verdict
from loadstone.verdict import exact
from loadstone.verdict.metrics import BY_NAME


def find(result: Result, expected: Expectation) -> Finding:
    """Return what `result`, of the comparison that tries `expected`, says of it."""
    if result.run.status is RunStatus.INVALID or result.verdict.verdict is Verdict.INVALID:
        reason = "; ".join(result.verdict.reasons) or result.run.stop_reason
        return Finding(proven=Proven.INVALID, reason=reason)
    return _exactly(result, expected) if expected.exact else _timed(result, expected)


def prove(low: float, high: float, expected: Expectation) -> Proven:
    """Judge an interval [low, high] of the change, in fractions of *before*."""
    if expected.direction is Direction.LOWER:
        low, high = -high, -low
    if expected.at_most is not None:
        if high <= expected.at_most:
            return Proven.CONFIRMED
        return Proven.NOT_CONFIRMED if low > expected.at_most else Proven.INCONCLUSIVE
    if low >= expected.at_least:
        return Proven.CONFIRMED
    return Proven.NOT_CONFIRMED if high < expected.at_least else Proven.INCONCLUSIVE


def _exactly(result: Result, expected: Expectation) -> Finding:
    facts = [
        one
        for one in result.facts
        if one.fact == expected.metric and expected.endpoint in {None, one.endpoint}
    ]
    if not facts:
        return Finding(
            proven=Proven.INVALID, reason=_missing([one.endpoint for one in result.facts], expected)
        )
    before, after = (_mean(facts, side) for side in ("before", "after"))
    # from nothing to something is more than any share
    change = after / before - 1 if before else math.copysign(math.inf, after) if after else 0.0
    shown = change if math.isfinite(change) else None
    return Finding(
        proven=prove(change, change, expected),
        before=before,
        after=after,
        unit=exact.BY_NAME[expected.metric].unit,
        estimate=shown,
        low=shown,
        high=shown,
        reason="" if shown is not None else "there was none before",
    )


def _mean(facts: list[FactChange], side: str) -> float:
    """Return a fact per request over several endpoints, each as often as it was probed."""
    total = sum(float(getattr(one, side)) * one.requests for one in facts)
    return total / sum(one.requests for one in facts)


def _timed(result: Result, expected: Expectation) -> Finding:
    matching = [one for one in result.contrasts if one.metric == expected.metric]
    found = next((one for one in matching if one.endpoint == expected.endpoint), None)
    if found is None:
        known = [one.endpoint for one in matching if one.endpoint is not None]
        reason = _missing(known, expected) if matching else "too few generations for an interval"
        return Finding(proven=Proven.INVALID if matching else Proven.INCONCLUSIVE, reason=reason)
    effect = found.effect
    if not found.available or effect is None:
        reason = found.unavailable_reason or "too few generations for an interval"
        return _levels(found, Proven.INCONCLUSIVE, reason)
    return Finding(
        proven=prove(effect.low, effect.high, expected),
        before=found.before,
        after=found.after,
        unit=found.unit,
        estimate=effect.estimate,
        low=effect.low,
        high=effect.high,
        level=effect.level,
    )


def _levels(found: Contrast, proven: Proven, reason: str) -> Finding:
    return Finding(
        proven=proven, before=found.before, after=found.after, unit=BY_NAME[found.metric].unit, reason=reason
    )


def _missing(known: list[str], expected: Expectation) -> str:
    told = ", ".join(dict.fromkeys(known)) or "none"
    return f"{expected.metric} of {expected.endpoint or 'any endpoint'} was not seen; endpoints: {told}"
