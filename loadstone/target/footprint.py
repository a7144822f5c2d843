"""What a variant holds: memory, tables, indexes, cache, and what it writes to the database's log."""

from __future__ import annotations

from dataclasses import dataclass

import redis

from loadstone.errors import TargetError
from loadstone.target.generation import Running
from loadstone.target.sql import session

_SIZES = """
SELECT coalesce(sum(pg_table_size(c.oid)), 0)::bigint, coalesce(sum(pg_indexes_size(c.oid)), 0)::bigint
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg_toast%'
"""
_WRITTEN = "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint"


@dataclass(frozen=True, slots=True)
class Held:
    """Bytes that a variant holds now; None: not ours to read."""

    memory_bytes: int | None
    table_bytes: int | None
    index_bytes: int | None
    cache_bytes: int | None


def held(running: Running) -> Held:
    """Return what a running variant holds; takes some ten milliseconds, so never while measuring."""
    tables, indexes = _sizes(running)
    return Held(running.memory_bytes() or None, tables, indexes, _cache(running))


def written_bytes(running: Running) -> int | None:
    """Return how much the variant's own database has written to its log; None where it serves others too."""
    if running.database is None or running.database.child is None:
        return None
    try:
        with session(running.database_url) as database:
            return int(database.run(_WRITTEN)[0][0])
    except TargetError:
        return None


def _sizes(running: Running) -> tuple[int | None, int | None]:
    if not running.database_url:
        return None, None
    try:
        with session(running.database_url) as database:
            ((tables, indexes),) = database.run(_SIZES)
    except TargetError:
        return None, None
    return int(tables), int(indexes)


def _cache(running: Running) -> int | None:
    if running.redis is None or running.redis.child is None:
        return None
    try:
        with redis.Redis.from_url(running.redis_url) as client:
            return int(client.info("memory")["used_memory"])
    except (redis.RedisError, KeyError, ValueError):
        return None
