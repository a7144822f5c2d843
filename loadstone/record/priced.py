"""What a change costs, and which requests were slowest, as it stands in a result."""

from __future__ import annotations

from loadstone.record.base import Record


class Price(Record, frozen=True, kw_only=True):
    """One thing that got worse, after against before."""

    name: str
    """A metric or an exact fact by its name, or `writes`, `memory_bytes`, `table_bytes`, `index_bytes`,
    `cache_bytes`, `log_bytes`."""
    unit: str
    variant: str
    endpoint: str | None
    """None: all endpoints together."""
    before: float
    after: float
    source: str
    """`measured`: over generations, with an interval on the worse side of zero; `counted`: exactly, on the
    wire, over the same requests; `read`: once, after the probe."""
    kind: str = ""
    """Of the interval: `ratio` (after/before - 1) or `difference`; empty without one."""
    low: float | None = None
    high: float | None = None
    level: float | None = None
    within_margin: bool = False
    """Worse for certain, but too little to matter."""


class SlowRequest(Record, frozen=True, kw_only=True):
    """One of a variant's slowest timed requests. Timed lanes see its time and which it was, nothing more."""

    variant: str
    endpoint: str
    generation: int
    """From 0."""
    pair: int
    user: int
    iteration: int
    outcome: str
    service_us: int
    others_us: dict[str, int] = {}
    """What the same request took on the other variants, by their names, where they sent it."""
    gap: bool = False
    """Whether a quiet gap came before."""
