"""Exact facts, after against before: counted on the wire over the same requests, so without error bars."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from loadstone.record.probed import FactChange, Probe, ProbeFacts, Total
from loadstone.stats.verdicts import Verdict

TOLD = 2
"""Endpoints that a headline names."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A row of the table of exact facts."""

    name: str
    title: str
    unit: str = "count"
    decides: bool = False
    """Whether it decides where no timing does."""


FACTS: tuple[Fact, ...] = (
    Fact("queries", "queries per request", decides=True),
    Fact("queries_repeat", "queries per repeated request", decides=True),
    Fact("rows", "rows per request"),
    Fact("cache_commands", "cache commands per request"),
    Fact("cache_commands_repeat", "cache commands per repeated request"),
    Fact("cache_misses", "cache misses per request"),
    Fact("response_bytes", "response size", unit="bytes"),
    Fact("exchanges", "requests and messages per step"),
)
"""More of anything is worse, but only queries decide: caching costs cache commands on purpose."""
BY_NAME = {fact.name: fact for fact in FACTS}


def fact_changes(probe: Probe | None, variants: Sequence[str], *, deciding: bool) -> list[FactChange]:
    """Return every fact that was counted on both sides, endpoint by endpoint.

    Args:
        probe: what the probe lane saw.
        variants: their names, the baseline first.
        deciding: whether exact facts decide, because no timing does.
    """
    facts = probe.facts if probe is not None else []
    sides = {(one.endpoint, one.variant): one for one in facts}
    found = []
    for endpoint in dict.fromkeys(one.endpoint for one in facts):
        for variant in variants[1:]:
            before, after = sides.get((endpoint, variants[0])), sides.get((endpoint, variant))
            if before is not None and after is not None:
                found += _changes(before, after, deciding=deciding)
    return found


def fact_verdict(before: Total, after: Total) -> Verdict:
    """Compare counts per request without rounding: as fractions, by cross-multiplication."""
    change = after.total * before.requests - before.total * after.requests
    if change == 0:
        return Verdict.EQUIVALENT
    return Verdict.REGRESSED if change > 0 else Verdict.IMPROVED


def tell_changes(changes: Iterable[FactChange], name: Callable[[str], str] = str) -> str:
    """Return what became of the queries: `queries per request 61 → 2 (GET /products)`; else nothing.

    Those that rose come first, then the largest change; repeats are told where
    the first request does not already tell the same endpoint.
    """
    moved = [one for one in changes if BY_NAME[one.fact].decides and one.verdict is not Verdict.EQUIVALENT]
    ordered = sorted(moved, key=lambda one: (one.verdict is Verdict.IMPROVED, -abs(one.after - one.before)))
    first: dict[tuple[str, str], FactChange] = {}
    for change in ordered:
        first.setdefault((change.endpoint, change.variant), change)
    told = _grouped(list(first.values())[:TOLD], name)
    return f"{told} and {len(first) - TOLD} more" if len(first) > TOLD else told


def _grouped(changes: Sequence[FactChange], name: Callable[[str], str]) -> str:
    """Return the changes, those of one fact under one title."""
    parts: dict[str, list[str]] = {}
    for one in changes:
        text = f"{_count(one.before)} → {_count(one.after)} ({name(one.endpoint)})"
        parts.setdefault(BY_NAME[one.fact].title, []).append(text)
    return "; ".join(f"{title} {', '.join(texts)}" for title, texts in parts.items())


def _changes(before: ProbeFacts, after: ProbeFacts, *, deciding: bool) -> list[FactChange]:
    return [
        FactChange(
            fact=fact.name,
            unit=fact.unit,
            endpoint=before.endpoint,
            baseline=before.variant,
            variant=after.variant,
            gating=fact.decides and deciding,
            before=before.totals[fact.name].total / before.totals[fact.name].requests,
            after=after.totals[fact.name].total / after.totals[fact.name].requests,
            requests=after.totals[fact.name].requests,
            verdict=fact_verdict(before.totals[fact.name], after.totals[fact.name]),
        )
        for fact in FACTS
        if fact.name in before.totals and fact.name in after.totals
    ]


def _count(value: float) -> str:
    """Return a count, with decimals only where requests differed."""
    return f"{value:,.2f}".rstrip("0").rstrip(".")
