"""A view that shows nothing itself: it keeps the state of a run for those that do."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from loadstone.lanes.view import View
from loadstone.record.going import Counted, Going
from loadstone.record.plan import Plan
from loadstone.record.probed import Probe
from loadstone.record.result import Contrast
from loadstone.stats.repeated import Stopping

_TICKS = re.compile(r", \d+ s$")
"""Seconds that a step counts."""


class Follower:
    """Follows a run.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begin: float | None = None
        self._told = Going()

    @property
    def going(self) -> Going:
        """How far the run is now."""
        if self._begin is not None:
            self._told.elapsed_s = self._clock() - self._begin
        return self._told

    def planned(self, plan: Plan, told: str = "") -> None:
        """Take the plan, and how it is put in words; what an earlier run left is forgotten."""
        self._begin = None
        self._told = Going(
            title=plan.title,
            told=told,
            step=self._told.step,
            labels=[one.label or one.name for one in plan.variants],
            names=[one.name for one in plan.variants],
            looks=plan.looks,
            anytime=plan.stopping is Stopping.ANYTIME,
            most=plan.max_generations if {"pair", "load"} & set(plan.lanes) else 0,
            planned_turn_s=plan.budget_s / max(plan.max_generations, 1),
            budget_s=plan.budget_s,
        )

    def step(self, text: str, share: float | None = None) -> bool:
        """Take what has begun; return whether that is news."""
        del share
        told = _TICKS.sub("", text)
        news = told != self._told.step
        self._told.step = told
        return news

    def probed(self, probe: Probe) -> None:
        """Take the queries per request, and whether payloads are equal."""
        counted: dict[str, dict[str, float | None]] = {}
        for fact in probe.facts:
            counted.setdefault(fact.endpoint, {})[fact.variant] = fact.queries_first
        self._told.counted = [
            Counted(endpoint=endpoint, queries=[queries.get(name) for name in self._told.names])
            for endpoint, queries in counted.items()
        ]
        self._told.payloads = (probe.payload.equal, probe.payload.checked)

    def measuring(self, generation: int, share: float, pairs: int) -> bool:
        """Take that a generation has begun; return whether that is news. This is all that timed parts see."""
        del share, pairs
        if generation < self._told.begun:
            return False
        if self._begin is None:
            self._begin, self._told.first = self._clock(), generation
        self._told.begun = generation + 1
        self._told.step = f"generation {generation + 1} of at most {self._told.most}"
        return True

    def looked(self, generation: int, contrasts: list[Contrast]) -> None:
        """Take what a look gave."""
        self._told.measured, self._told.contrasts = generation, contrasts
        self._told.looked_s = self.going.elapsed_s


class Together:
    """Several views of one run."""

    def __init__(self, *views: View) -> None:
        self._views = views

    def planned(self, plan: Plan) -> None:
        """Tell all."""
        for view in self._views:
            view.planned(plan)

    def step(self, text: str, share: float | None = None) -> None:
        """Tell all."""
        for view in self._views:
            view.step(text, share)

    def probed(self, probe: Probe) -> None:
        """Tell all."""
        for view in self._views:
            view.probed(probe)

    def measuring(self, generation: int, share: float, pairs: int) -> None:
        """Tell all."""
        for view in self._views:
            view.measuring(generation, share, pairs)

    def looked(self, generation: int, contrasts: list[Contrast]) -> None:
        """Tell all."""
        for view in self._views:
            view.looked(generation, contrasts)
