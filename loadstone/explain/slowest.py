"""The slowest requests of the probe, each with what it did at the services."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from loadstone.explain.facts import ProbeObservation, statement_means
from loadstone.explain.tap_postgres import Statement
from loadstone.explain.tap_redis import RedisCommand
from loadstone.record.probed import ProbedRequest

MOST = 20
"""Of each variant."""
MOST_STATEMENTS = 8
MOST_TARGET = 500
MOST_SQL = 1000


def slowest_probed(observations: Iterable[ProbeObservation]) -> list[ProbedRequest]:
    """Return the slowest requests of each variant, the slowest first, variants in the order first seen."""
    by_variant: dict[str, list[ProbeObservation]] = defaultdict(list)
    for seen in observations:
        if seen.service_us:
            by_variant[seen.variant].append(seen)
    return [
        _request(seen)
        for own in by_variant.values()
        for seen in sorted(own, key=lambda one: -one.service_us)[:MOST]
    ]


def _request(seen: ProbeObservation) -> ProbedRequest:
    statements = statement_means([seen.statements or ()])[:MOST_STATEMENTS]
    return ProbedRequest(
        endpoint=seen.endpoint,
        variant=seen.variant,
        method=seen.method,
        target=seen.target[:MOST_TARGET],
        traceparent=seen.traceparent,
        repeat=seen.repeat,
        status=seen.status,
        service_us=seen.service_us,
        database_us=_wait(seen.statements, seen.told.database_ms if seen.told else None),
        cache_us=_wait(seen.commands, seen.told.cache_ms if seen.told else None),
        cache_commands=None if seen.commands is None else sum(not one.control for one in seen.commands),
        statements=[one for one in statements if len(one.sql) <= MOST_SQL],
    )


def _wait(seen: Sequence[Statement] | Sequence[RedisCommand] | None, told_ms: float | None) -> float | None:
    """Return what the tap saw, else what the app says itself."""
    if seen is None:
        return None if told_ms is None else told_ms * 1e3
    return float(sum(one.duration_us for one in seen))
