"""Exact facts per endpoint and variant, from what the probe lane saw of each request."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Protocol

from loadstone.explain.tap_postgres import Statement
from loadstone.explain.tap_redis import RedisCommand
from loadstone.record.result import ProbeFacts


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
        queries_first=_median_count([observation.statements for observation in firsts]),
        queries_repeat=_median_count([observation.statements for observation in repeats]),
        rows=_median_rows(firsts),
        response_bytes=float(median(observation.response_bytes for observation in firsts or repeats)),
        cache_commands_first=_median_count([observation.commands for observation in firsts]),
        cache_commands_repeat=_median_count([observation.commands for observation in repeats]),
        statuses=sorted({observation.status for observation in group}),
        statements=_calls(firsts),
    )


def _median_count(seen: Sequence[Sequence[_Seen] | None]) -> float | None:
    counts = [sum(not one.control for one in each) for each in seen if each is not None]
    return float(median(counts)) if counts and len(counts) == len(seen) else None


def _median_rows(firsts: list[ProbeObservation]) -> float | None:
    rows = [
        sum(statement.rows for statement in each.statements if not statement.control)
        for each in firsts
        if each.statements is not None
    ]
    return float(median(rows)) if rows and len(rows) == len(firsts) else None


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
