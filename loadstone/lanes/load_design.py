"""The frozen plan of a load run, and what a run tells whoever watches."""

from __future__ import annotations

import hashlib
from typing import Protocol

from loadstone import __version__
from loadstone.config.offered import LoadExperiment
from loadstone.record.load_record import LoadPlan
from loadstone.record.recording import Recording
from loadstone.workload.load_protocol import Second


class LoadView(Protocol):
    """Receives progress; every method returns at once."""

    def planned(self, plan: LoadPlan) -> None:
        """The plan is frozen."""

    def step(self, text: str, share: float | None = None) -> None:
        """Something else has begun."""

    def second(self, second: Second, requests: Recording, planned: float | None) -> None:
        """A second is over."""


def make_load_plan(experiment: LoadExperiment, command: str) -> LoadPlan:
    """Return the frozen plan of a load run."""
    offer, variant = experiment.offer, experiment.variant
    return LoadPlan(
        loadstone_version=__version__,
        title=experiment.title,
        command=command,
        variant=variant.label,
        toggles=dict(variant.toggles),
        scenario=experiment.scenario.name,
        scenario_sha256=hashlib.sha256(experiment.scenario.read_bytes()).hexdigest(),
        size=experiment.size,
        seed=experiment.seed,
        model="open" if offer.rate else "closed",
        rate=offer.rate.text if offer.rate else "",
        users=offer.most_users if offer.rate else offer.users,
        duration_s=offer.duration_s,
        warm_s=offer.warm_s,
        thresholds=[one.text for one in offer.thresholds],
        most_lag_us=offer.most_lag_us,
        workers=offer.crew.total,
    )


class LoadTogether:
    """Several views of one run."""

    def __init__(self, *views: LoadView) -> None:
        self._views = views

    def planned(self, plan: LoadPlan) -> None:
        """Tell all."""
        for view in self._views:
            view.planned(plan)

    def step(self, text: str, share: float | None = None) -> None:
        """Tell all."""
        for view in self._views:
            view.step(text, share)

    def second(self, second: Second, requests: Recording, planned: float | None) -> None:
        """Tell all."""
        for view in self._views:
            view.second(second, requests, planned)
