"""What one request used, noted where it happens and counted when it is answered.

Nothing is noted outside a request, or while nobody counts (toggle `instrumentation`).
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Tally:
    """Statements and cache look-ups of one request."""

    queries: int = 0
    query_seconds: float = 0.0
    hits: int = 0
    misses: int = 0


current: ContextVar[Tally | None] = ContextVar("tally", default=None)
"""The tally of the request that this thread, or this task, answers."""


def looked_up(*, hit: bool) -> None:
    """Note that something was looked for in the cache."""
    tally = current.get()
    if tally is None:
        return
    if hit:
        tally.hits += 1
    else:
        tally.misses += 1


def queried(seconds: float) -> None:
    """Note that a statement was run."""
    tally = current.get()
    if tally is not None:
        tally.queries += 1
        tally.query_seconds += seconds
