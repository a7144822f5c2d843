"""A known extra cost: a spin right after the answer, which counts on one side alone.

Every request of every side is followed by the same spin, so that whatever it does
to the next request it does on all sides alike; only on the spiked side does the
clock run on meanwhile. So that side is a copy of before in all but its known cost.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

LONGEST_NS = 2**31


@dataclass(frozen=True, slots=True)
class Spin:
    """How long to spin after each request of one side."""

    share: float
    """Of the request's service time: the same relative cost on a fast and on a slow machine."""
    counts: bool

    def after(self, service_ns: int, end_ns: int) -> int:
        """Spin from `end_ns` on and return how much of it counts, by the clock, in nanoseconds."""
        until = end_ns + min(round(self.share * service_ns), LONGEST_NS)
        now = end_ns
        while now < until:
            now = time.perf_counter_ns()
        return now - end_ns if self.counts else 0
