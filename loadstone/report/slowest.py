"""The slowest requests of each variant: the timed ones, and those of the probe with what they did."""

from __future__ import annotations

from dataclasses import dataclass

from loadstone.record.priced import SlowRequest
from loadstone.record.probed import ProbedRequest
from loadstone.record.result import Result
from loadstone.report import quantities, safe, selection

MOST = 20


@dataclass(frozen=True)
class Side:
    """One variant's slowest requests."""

    label: str
    timed: list[SlowRequest]
    probed: list[ProbedRequest]


def sides(result: Result) -> list[Side]:
    """Return the slowest requests of each variant that has any, controls left out."""
    probed = result.probe.slowest if result.probe else []
    found = [
        Side(
            label=safe.name(one.label or one.name, 60),
            timed=[each for each in result.slowest if each.variant == one.name][:MOST],
            probed=[each for each in probed if each.variant == one.name][:MOST],
        )
        for one in (result.variants[0], *selection.others(result))
    ]
    return [one for one in found if one.timed or one.probed]


def identity(one: SlowRequest) -> str:
    """Return which request it was; a timed lane sends no trace context."""
    return f"generation {one.generation + 1}, pair {one.pair}"


def elsewhere(result: Result, one: SlowRequest) -> str:
    """Return what the same request took on the other variants."""
    told = [
        f"{quantities.microseconds(us)} on {safe.name(selection.label_of(result, name), 40)}"
        for name, us in one.others_us.items()
    ]
    return ", ".join(told) or "not sent there"


def spans(one: ProbedRequest) -> list[tuple[str, str]]:
    """Return where the time of a probed request went, as far as the taps saw it."""
    rest = None
    if one.database_us is not None and one.cache_us is not None:
        rest = max(0.0, one.service_us - one.database_us - one.cache_us)
    parts = (("database", one.database_us), ("cache", one.cache_us), ("server and the rest", rest))
    return [
        (name, "not seen" if value is None else quantities.microseconds(value) if value else "none")
        for name, value in parts
    ]
