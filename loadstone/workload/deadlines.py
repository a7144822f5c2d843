"""Time limits of requests, watched by one timer for all connections instead of one a request."""

from __future__ import annotations

import time
from typing import Any, Protocol
from weakref import WeakSet

import gevent

_LONGEST_TICK_S = 0.25
_SHORTEST_TICK_S = 0.005
_TICKS_PER_LIMIT = 20
"""A request is given up at most a twentieth of its limit late; what is recorded is when it was given up."""


class Waiting(Protocol):
    """What may wait for too long."""

    deadline_ns: int
    """On `time.perf_counter_ns`; 0 while it waits for nothing."""

    def expire(self) -> None:
        """Give up; called from the hub."""


class Deadlines:
    """Looks a few times in every limit for what has waited too long."""

    def __init__(self) -> None:
        self._watched: WeakSet[Waiting] = WeakSet()
        self._tick_s = _LONGEST_TICK_S
        self._timer: Any = None

    def watch(self, waiting: Waiting, limit_s: float) -> None:
        """Watch a connection whose requests may take `limit_s`."""
        self._watched.add(waiting)
        self.tighten(limit_s)
        if self._timer is None:
            self._start()

    def tighten(self, limit_s: float) -> None:
        """Look often enough for a limit of `limit_s`."""
        wanted = max(limit_s / _TICKS_PER_LIMIT, _SHORTEST_TICK_S)
        if wanted < self._tick_s:
            self._tick_s = wanted
            if self._timer is not None:
                self._start()

    def forget(self, waiting: Waiting) -> None:
        """Stop watching; without anything to watch there is no timer either."""
        self._watched.discard(waiting)
        if not self._watched:
            self._stop()

    def _start(self) -> None:
        self._stop()
        # not a reason for the loop to go on
        self._timer = gevent.get_hub().loop.timer(self._tick_s, self._tick_s, ref=False)
        self._timer.start(self._sweep)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer.close()
            self._timer = None

    def _sweep(self) -> None:
        now = time.perf_counter_ns()
        for waiting in [one for one in self._watched if 0 < one.deadline_ns <= now]:
            if 0 < waiting.deadline_ns <= now:  # an earlier one may have ended it
                waiting.expire()


DEADLINES = Deadlines()
"""Of this process: it has one hub."""
