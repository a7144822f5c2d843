"""The price of a change as people read it: everything that got worse, in one place of its own."""

from __future__ import annotations

from dataclasses import dataclass

from loadstone.record.priced import Price
from loadstone.record.result import Effect, Result
from loadstone.report import quantities, safe, selection, wording

MOST = 30
"""Rows that are shown; all are in the JSON."""
MOST_TOLD = 3
LABELS = {
    "writes": "writes per request",
    "memory_bytes": "memory of the server",
    "table_bytes": "tables",
    "index_bytes": "indexes",
    "cache_bytes": "cache",
    "log_bytes": "write-ahead log per request",
}
SOURCES = {
    "measured": "over generations",
    "counted": "counted on the wire",
    "read": "read once, after the probe",
}
UNSEEN = "staleness is not measured"
"""What no lane sees, whatever the run."""


@dataclass(frozen=True)
class Line:
    """One thing that got worse."""

    what: str
    where: str
    """An endpoint, or nothing for all together."""
    before: str
    after: str
    change: str
    """By how much, with its interval where there is one."""
    source: str
    variant: str
    """Its label, where several are held against the baseline."""
    minor: bool
    """Worse for certain, but inside the margin."""


def lines(result: Result) -> list[Line]:
    """Return everything that got worse, what matters first."""
    told = [_line(result, one) for one in result.prices or []]
    return sorted(told, key=lambda one: one.minor)


def known(result: Result) -> bool:
    """Tell whether the run gathered its price at all: older ones did not."""
    return result.prices is not None


def nothing(result: Result) -> str:
    """Return what to say where nothing got worse."""
    return f"nothing that {_seen(result)} got worse; {UNSEEN}"


def short(result: Result) -> str:
    """Return the price in one line; nothing where it is not known."""
    if not known(result):
        return ""
    told = lines(result)
    if not told:
        return nothing(result)
    parts = [
        f"{one.what}{f' ({one.where})' if one.where else ''}"
        f"{f', {one.variant}' if one.variant else ''} {one.before} {quantities.ARROW} {one.after}"
        for one in told[:MOST_TOLD]
    ]
    more = f" and {len(told) - MOST_TOLD} more" if len(told) > MOST_TOLD else ""
    return "; ".join(parts) + more


def _seen(result: Result) -> str:
    """Say what was looked at."""
    ways = ["was measured"] if selection.timed(result) else []
    if result.probe is not None:
        ways += ["counted"] + (["read"] if result.probe.footprints else [])
    return " or ".join(filter(None, (", ".join(ways[:-1]), ways[-1]))) if ways else "was looked at"


def _line(result: Result, one: Price) -> Line:
    before, after = (quantities.quantity(value, one.unit) for value in (one.before, one.after))
    if before == after and one.unit == "bytes":
        before, after = quantities.count(one.before), quantities.count(one.after)
    label = LABELS.get(one.name) or wording.FACT_LABELS.get(one.name) or wording.metric_label(one.name)
    several = selection.several(result)
    return Line(
        what=label,
        where=safe.name(one.endpoint) if one.endpoint else "",
        before=before,
        after=after,
        change=_change(one),
        source=SOURCES.get(one.source, one.source),
        variant=safe.name(selection.label_of(result, one.variant), 60) if several else "",
        minor=one.within_margin,
    )


def _change(one: Price) -> str:
    if one.low is None or one.high is None or one.level is None:
        ratio = one.after / one.before - 1 if one.before else None
        return "from nothing" if ratio is None else quantities.signed_percent(ratio, 1)
    effect = Effect(kind=one.kind, estimate=one.low, low=one.low, high=one.high, level=one.level)
    level = f"{quantities.significant(one.level * 100, 5)}% interval"
    return f"{level} {wording.interval(effect, one.unit)}"
