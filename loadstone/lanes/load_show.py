"""What the web UI's before/after page shows: response times of each variant, out of our own recordings."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

import msgspec

from loadstone.record.observations import Outcome
from loadstone.record.recording import Recording

MOST_POINTS = 600
"""Of the chart; older ones make room."""
QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "p999": 0.999}


class VariantRow(msgspec.Struct, kw_only=True):
    """One variant, in milliseconds; None: not known."""

    name: str
    variant: str
    requests: int
    failed: int
    rps: float | None
    p50: float | None
    p95: float | None
    p99: float | None
    p999: float | None
    max: float | None


class Point(msgspec.Struct, kw_only=True):
    """The p99 of one second, or of one block."""

    variant: str
    at: float
    p99: float | None


class Page(msgspec.Struct, kw_only=True):
    """The whole page."""

    title: str
    variants: list[VariantRow]
    seconds: list[Point]


@dataclass
class Showing:
    """Makes the page while a run goes on.

    Args:
        title: of the run.
        variants: name and label of each, by index.
    """

    title: str
    variants: list[tuple[str, str]]
    _points: deque[Point] = field(default_factory=lambda: deque(maxlen=MOST_POINTS))

    def add(self, variant: int, at_s: float, recording: Recording) -> None:
        """Add a point: what one second or block of a variant brought."""
        p99 = _milliseconds(recording.quantile(0.99, variant=variant).value_us)
        self._points.append(Point(variant=self.variants[variant][0], at=at_s, p99=p99))

    def page(self, recording: Recording, seconds: list[float]) -> bytes:
        """Return the page as JSON.

        Args:
            recording: all variants so far.
            seconds: for how long each was sent load.
        """
        rows = [self._row(index, recording, seconds[index]) for index in range(len(self.variants))]
        return msgspec.json.encode(Page(title=self.title, variants=rows, seconds=list(self._points)))

    def _row(self, index: int, recording: Recording, seconds: float) -> VariantRow:
        name, label = self.variants[index]
        requests = recording.count(variant=index)
        failed = recording.count(variant=index, outcomes=[one for one in Outcome if one.failed])
        known = {
            key: _milliseconds(recording.quantile(q, variant=index).value_us) for key, q in QUANTILES.items()
        }
        timed = recording.histogram(variant=index, outcomes=(Outcome.OK, Outcome.REDIRECT))
        return VariantRow(
            name=name,
            variant=label,
            requests=requests,
            failed=failed,
            rps=round(requests / seconds, 1) if seconds else None,
            max=_milliseconds(float(timed.max_us) if timed.total else math.nan),
            **known,
        )


def _milliseconds(us: float) -> float | None:
    return round(us / 1000, 2) if math.isfinite(us) else None
