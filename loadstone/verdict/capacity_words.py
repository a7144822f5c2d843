"""A capacity in words: the headline, and rates as people read them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from loadstone.record.capacity_record import CapacityPlan
from loadstone.record.capacity_result import Bound, CapacityEstimate, CapacityGain, ScalabilityResult

ONE_REQUEST = 0.02
"""Arrivals with one request each, to within this, are called requests."""
_DIGITS = 3


def rate(rps: float) -> str:
    """Return a rate with three significant digits."""
    if rps <= 0:
        return "0"
    decimals = max(0, _DIGITS - 1 - math.floor(math.log10(rps)))
    text = f"{rps:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def with_processes(size: int) -> str:
    """Return `1 process` or `4 processes`; nothing where the target starts as many as it likes."""
    return f"{size} process{'' if size == 1 else 'es'}" if size else ""


def unit(estimates: Sequence[CapacityEstimate]) -> str:
    """Return what is counted per second: requests, or iterations where these have several."""
    single = all(abs(one.requests_per_arrival - 1) <= ONE_REQUEST for one in estimates)
    return "requests/s" if single else "iterations/s"


def objective(plan: CapacityPlan) -> str:
    """Return the objective as it was written."""
    return ", ".join(plan.objective)


def known(one: CapacityEstimate) -> str:
    """Return a capacity with its interval: `64.2 (60.1 to 68.5)`, `at least 400`, `below 2`."""
    if one.rps is None or one.bound is Bound.UNKNOWN:
        return "unknown"
    if one.bound is Bound.FOUND:
        if one.low_rps is None or one.high_rps is None:
            return rate(one.rps)
        return f"{rate(one.rps)} ({rate(one.low_rps)} to {rate(one.high_rps)})"
    return f"{'at least' if one.bound is Bound.AT_LEAST else 'below'} {rate(one.rps)}"


def factor(gain: CapacityGain) -> str:
    """Return a gain: `3.0× (2.7× to 3.4×)`, `at least 4.1×`, `at most 0.8×`."""
    if gain.ratio is None:
        return "unknown"
    told = f"{gain.ratio:.2f}×"
    if gain.bound is Bound.AT_LEAST:
        return f"at least {told}"
    if gain.bound is Bound.BELOW:
        return f"at most {told}"
    if gain.low is None or gain.high is None:
        return told
    return f"{told} ({gain.low:.2f}× to {gain.high:.2f}×)"


def headline(
    plan: CapacityPlan,
    estimates: Sequence[CapacityEstimate],
    gains: Sequence[CapacityGain],
    laws: Sequence[ScalabilityResult],
) -> str:
    """Return the finding in one sentence."""
    for law in laws:
        if law.needed is not None:
            return f"{law.label} {_needs(law)} at {objective(plan)}"
    what, at = unit(estimates), f"at {objective(plan)}"
    size = plan.sizes[0]
    here = [one for one in estimates if one.processes == size]
    processes = f" with {with_processes(size)}" if size else ""
    if len(here) == 1:
        (only,) = here
        if only.bound is Bound.UNKNOWN:
            return f"The capacity of {only.label} could not be told: {only.note}"
        return f"{only.label} serves {known(only)} {what}{processes} {at}{_repeats(only)}"
    before, after = here[0], here[-1]
    gain = next((one for one in gains if (one.variant, one.processes) == (after.variant, size)), None)
    for one in (before, after):
        if one.bound is Bound.UNKNOWN:
            return f"The capacity of {one.label} could not be told: {one.note}"
    verb = {
        "improved": "raises capacity",
        "regressed": "lowers capacity",
        "equivalent": "leaves capacity",
    }.get(gain.verdict if gain else "", "changes capacity, if at all,")
    return f"{after.label} {verb} from {known(before)} to {known(after)} {what}{processes} {at}"


def _repeats(one: CapacityEstimate) -> str:
    return f", searched {one.searches} times" if one.searches > 1 else ", searched once"


def _needs(law: ScalabilityResult) -> str:
    needed = law.needed
    if needed is None:
        return ""
    if needed.needed is None:
        return f"never reaches {rate(needed.rps)}/s, as far as the fit can tell"
    high = "more than can be told" if needed.high is None else str(needed.high)
    interval = "" if needed.low == needed.high == needed.needed else f" ({needed.low} to {high})"
    return f"needs {with_processes(needed.needed)}{interval} for {rate(needed.rps)} requests/s"
