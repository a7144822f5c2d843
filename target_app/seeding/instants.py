"""Instants in PostgreSQL's notation, from fixed dates: never the present."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

FIRST = datetime(2022, 1, 1, tzinfo=UTC)
DAYS = 3 * 365
DAY_S = 24 * 3600
SPAN_S = DAYS * DAY_S

_DATES = [(FIRST + timedelta(days=day)).date().isoformat() for day in range(DAYS)]
_CLOCK = [f" {s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}+00" for s in range(DAY_S)]


def instant(second: int) -> str:
    """Return the instant `second` seconds after the first; it must lie within the span."""
    return _DATES[second // DAY_S] + _CLOCK[second % DAY_S]
