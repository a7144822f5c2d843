"""Exact facts per endpoint and variant, from what the probe lane saw of each request."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from statistics import median
from typing import Protocol

from loadstone.explain.sql_source import source_of
from loadstone.explain.tap_postgres import Statement
from loadstone.explain.tap_redis import RedisCommand
from loadstone.record.probed import Accounting, ProbeFacts, StatementFact, Total
from loadstone.server_timing import Told

WITHOUT_SLOWEST = 3
TAPPED, TOLD = "wire tap", "as the app says itself"


@dataclass(frozen=True, slots=True)
class ProbeObservation:
    """One request of the probe lane, and what it did at the services."""

    endpoint: str
    variant: str
    repeat: bool
    """Whether the same request had just been sent before: caches are warm."""
    status: int
    response_bytes: int
    statements: Sequence[Statement] | None
    """None where no tap could count them."""
    commands: Sequence[RedisCommand] | None
    """As above."""
    service_us: int = 0
    """From the send to the last byte; 0: not measured."""
    exchanges: int | None = None
    """Of a step that is several requests; None: it is one."""
    method: str = ""
    target: str = ""
    traceparent: str = ""
    told: Told | None = None
    """What the app says of it itself; the taps are believed first."""


class _Seen(Protocol):
    @property
    def control(self) -> bool: ...


def probe_facts(observations: Iterable[ProbeObservation]) -> list[ProbeFacts]:
    """Return the facts of each endpoint and variant, in the order in which they were first seen.

    Control statements and commands are left out of every count. Figures are medians
    over the first requests (or the repeats, where named so); an endpoint with one
    request that could not be counted has no counts at all.
    """
    groups: dict[tuple[str, str], list[ProbeObservation]] = defaultdict(list)
    for observation in observations:
        groups[observation.endpoint, observation.variant].append(observation)
    return [_facts(endpoint, variant, group) for (endpoint, variant), group in groups.items()]


def _facts(endpoint: str, variant: str, group: list[ProbeObservation]) -> ProbeFacts:
    firsts = [observation for observation in group if not observation.repeat]
    repeats = [observation for observation in group if observation.repeat]
    return ProbeFacts(
        endpoint=endpoint,
        variant=variant,
        requests=len(firsts),
        queries_first=_median(_queries(firsts)),
        queries_repeat=_median(_queries(repeats)),
        rows=_median(_row_counts(firsts)),
        response_bytes=float(median(observation.response_bytes for observation in firsts or repeats)),
        cache_commands_first=_median(_counts([observation.commands for observation in firsts])),
        cache_commands_repeat=_median(_counts([observation.commands for observation in repeats])),
        statuses=sorted({observation.status for observation in group}),
        statements=_calls(firsts),
        totals=_totals(firsts, repeats),
        statement_facts=_statement_facts(firsts),
        accounting=_accounting(firsts),
    )


def _totals(firsts: list[ProbeObservation], repeats: list[ProbeObservation]) -> dict[str, Total]:
    """Return the exact sums; a fact of which one request could not be counted is left out."""
    counts = {
        "queries": _queries(firsts),
        "queries_repeat": _queries(repeats),
        "rows": _row_counts(firsts),
        "cache_commands": _counts([one.commands for one in firsts]),
        "cache_commands_repeat": _counts([one.commands for one in repeats]),
        "cache_misses": [one.told.misses for one in firsts if one.told] if _all_told(firsts) else [],
        "response_bytes": [one.response_bytes for one in firsts],
        "exchanges": _exchanges(firsts),
    }
    return {fact: Total(total=sum(found), requests=len(found)) for fact, found in counts.items() if found}


def _counts(seen: Sequence[Sequence[_Seen] | None]) -> list[int]:
    """Return each request's count without control statements; empty where one could not be counted."""
    counts = [sum(not one.control for one in each) for each in seen if each is not None]
    return counts if len(counts) == len(seen) else []


def sql_source(observations: Iterable[ProbeObservation]) -> str:
    """Return who counted the statements."""
    seen = list(observations)
    return TOLD if _all_told(seen) and all(one.statements is None for one in seen) else TAPPED


def _all_told(seen: Sequence[ProbeObservation]) -> bool:
    return bool(seen) and all(one.told is not None for one in seen)


def _queries(seen: list[ProbeObservation]) -> list[int]:
    """Return each request's statements, as the tap saw them, else as the app says itself."""
    counts = _counts([one.statements for one in seen])
    if counts or not _all_told(seen):
        return counts
    return [one.told.queries for one in seen if one.told]


def _row_counts(firsts: list[ProbeObservation]) -> list[int]:
    rows = [
        sum(statement.rows for statement in each.statements if not statement.control)
        for each in firsts
        if each.statements is not None
    ]
    if len(rows) == len(firsts):
        return rows
    told = [one.told.rows for one in firsts if one.told is not None and one.told.rows is not None]
    return told if len(told) == len(firsts) else []


def _exchanges(firsts: list[ProbeObservation]) -> list[int]:
    """Return each step's requests; empty where steps are requests, as is told by every other count."""
    counts = [one.exchanges for one in firsts if one.exchanges is not None]
    return counts if len(counts) == len(firsts) else []


def _median(counts: list[int]) -> float | None:
    return float(median(counts)) if counts else None


def _statement_facts(firsts: list[ProbeObservation]) -> list[StatementFact]:
    """Return calls, rows and time per first request of each statement, those that took longest first."""
    if any(observation.statements is None for observation in firsts):
        return []
    return statement_means([observation.statements or () for observation in firsts])


def statement_means(requests: Sequence[Sequence[Statement]]) -> list[StatementFact]:
    """Return calls, rows and time per request of each statement, those that took longest first."""
    groups: dict[str, list[Statement]] = defaultdict(list)
    for statement in chain.from_iterable(requests):
        if not statement.control:
            groups[statement.normalised].append(statement)
    found = [
        StatementFact(
            sql=sql,
            calls=len(group) / len(requests),
            rows=sum(one.rows for one in group) / len(requests),
            wait_us=sum(one.duration_us for one in group) / len(requests),
            source=source_of([one.sql for one in group]),
        )
        for sql, group in groups.items()
    ]
    return sorted(found, key=lambda one: (-one.wait_us, one.sql))


def _accounting(firsts: list[ProbeObservation]) -> Accounting | None:
    """Return where the time went; None without a first request whose time is known.

    The slowest request is left out where there are three or more: it met what was cold.
    """
    if not firsts or not all(one.service_us for one in firsts):
        return None
    if len(firsts) >= WITHOUT_SLOWEST:
        firsts = sorted(firsts, key=lambda one: one.service_us)[:-1]
    return Accounting(
        requests=len(firsts),
        total_us=sum(one.service_us for one in firsts) / len(firsts),
        database_us=_first_known(
            _waits([one.statements for one in firsts]),
            [one.told.database_ms if one.told else None for one in firsts],
        ),
        cache_us=_first_known(
            _waits([one.commands for one in firsts]),
            [one.told.cache_ms if one.told else None for one in firsts],
        ),
    )


def _first_known(tapped: float | None, told_ms: Sequence[float | None]) -> float | None:
    """Return what the tap saw, else the mean of what the app says itself, both in microseconds."""
    known = [one * 1e3 for one in told_ms if one is not None]
    if tapped is not None or len(known) < len(told_ms):
        return tapped
    return sum(known) / len(known)


def _waits(seen: Sequence[Sequence[Statement] | Sequence[RedisCommand] | None]) -> float | None:
    """Return the mean wait per request, control included; None where one request was not seen."""
    waits = [sum(one.duration_us for one in each) for each in seen if each is not None]
    return sum(waits) / len(waits) if len(waits) == len(seen) else None


def _calls(firsts: list[ProbeObservation]) -> list[tuple[str, float]]:
    """Return the mean calls per first request of each normalised statement, most frequent first."""
    if any(observation.statements is None for observation in firsts):
        return []
    calls = Counter(
        statement.normalised
        for observation in firsts
        for statement in observation.statements or ()
        if not statement.control
    )
    ordered = sorted(calls.items(), key=lambda item: (-item[1], item[0]))
    return [(sql, count / len(firsts)) for sql, count in ordered]
