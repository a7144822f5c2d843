"""What an app says of its own request, in the header Server-Timing (W3C): databases and caches.

    Server-Timing: loadstone-db;dur=3.214;desc="queries=2 rows=34",
        loadstone-cache;dur=0.402;desc="hits=1 misses=0"

Any app can write it, in any language; durations are milliseconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

HEADER = "Server-Timing"
DATABASE, CACHE = "loadstone-db", "loadstone-cache"
_ENTRY = re.compile(rf'({DATABASE}|{CACHE});dur=(\d+(?:\.\d+)?);desc="([a-z0-9= ]*)"')
_LONGEST = 4_000


@dataclass(slots=True)
class Told:
    """Sums of one request."""

    queries: int = 0
    rows: int | None = 0
    """None: its driver does not say."""
    database_ms: float = 0.0
    hits: int = 0
    misses: int = 0
    cache_ms: float = 0.0


def encode(told: Told) -> str:
    """Return the header's value."""
    rows = "" if told.rows is None else f" rows={told.rows}"
    database = f'{DATABASE};dur={told.database_ms:.3f};desc="queries={told.queries}{rows}"'
    return f'{database}, {CACHE};dur={told.cache_ms:.3f};desc="hits={told.hits} misses={told.misses}"'


def decode(value: str) -> Told | None:
    """Return what a header says; None where it says nothing of databases. Other entries are passed over."""
    found = {name: (float(dur), _counts(text)) for name, dur, text in _ENTRY.findall(value[:_LONGEST])}
    if DATABASE not in found or "queries" not in found[DATABASE][1]:
        return None
    database_ms, database = found[DATABASE]
    cache_ms, cache = found.get(CACHE, (0.0, {}))
    return Told(
        queries=database["queries"],
        rows=database.get("rows"),
        database_ms=database_ms,
        hits=cache.get("hits", 0),
        misses=cache.get("misses", 0),
        cache_ms=cache_ms,
    )


def _counts(text: str) -> dict[str, int]:
    pairs = (one.partition("=") for one in text.split())
    return {name: int(number) for name, _, number in pairs if number.isdigit()}
