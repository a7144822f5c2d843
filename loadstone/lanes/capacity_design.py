"""The frozen plan of a search for capacity, and what a search tells whoever watches."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Protocol

from loadstone import __version__
from loadstone.config.capacity import CapacityExperiment, longest_us
from loadstone.record.capacity_record import CapacityPlan, CapacityVariant
from loadstone.stats.capacity import RESOLUTION

LEAD_S = 1.0
LEVEL = 0.95
LEAST_DRAIN_S, DRAIN_LIMITS = 1.0, 2.0
"""How long work may go on: past the largest limit, so that what is slower is seen to be slower."""


class CapacityView(Protocol):
    """Receives progress; every method returns at once."""

    def step(self, text: str, share: float | None = None) -> None:
        """Something else has begun."""

    def offering(self, label: str, rate_rps: float, share: float) -> None:
        """A window begins; `share` of the budget is spent."""

    def judged(self, label: str, rate_rps: float, trial: str, note: str) -> None:
        """A window is over."""

    def found(self, label: str, text: str) -> None:
        """A search is over."""


class SearchTogether:
    """Several views of one search."""

    def __init__(self, *views: CapacityView) -> None:
        self._views = views

    def step(self, text: str, share: float | None = None) -> None:
        """Tell all."""
        for view in self._views:
            view.step(text, share)

    def offering(self, label: str, rate_rps: float, share: float) -> None:
        """Tell all."""
        for view in self._views:
            view.offering(label, rate_rps, share)

    def judged(self, label: str, rate_rps: float, trial: str, note: str) -> None:
        """Tell all."""
        for view in self._views:
            view.judged(label, rate_rps, trial, note)

    def found(self, label: str, text: str) -> None:
        """Tell all."""
        for view in self._views:
            view.found(label, text)


def make_capacity_plan(
    experiment: CapacityExperiment, command: str, target_cores: Sequence[int] = ()
) -> CapacityPlan:
    """Return the frozen plan of a search whose target is kept on some cores, or on none in particular."""
    limit_s = longest_us(experiment.objective) / 1e6
    return CapacityPlan(
        loadstone_version=__version__,
        title=experiment.title,
        command=command,
        variants=[
            CapacityVariant(label=each.label, toggles=dict(each.toggles)) for each in experiment.variants
        ],
        processes=list(experiment.processes),
        scenario=experiment.scenario.name,
        scenario_sha256=hashlib.sha256(experiment.scenario.read_bytes()).hexdigest(),
        size=experiment.size,
        seed=experiment.seed,
        objective=[one.text for one in experiment.objective],
        poisson=experiment.poisson,
        window_s=experiment.window_s,
        lead_s=min(LEAD_S, experiment.window_s / 2),
        warm_s=experiment.warm_s,
        drain_s=max(LEAST_DRAIN_S, DRAIN_LIMITS * limit_s),
        budget_s=experiment.budget_s,
        repeats=experiment.repeats,
        max_rps=experiment.max_rps,
        resolution=RESOLUTION,
        level=LEVEL,
        margin=experiment.margin,
        for_rps=experiment.for_rps,
        most_users=experiment.most_users,
        most_backlog=experiment.most_backlog,
        most_lag_us=experiment.most_lag_us,
        workers=experiment.crew.total,
        target_cores=list(target_cores),
    )
