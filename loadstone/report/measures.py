"""One number of a run, whatever kind of run it is, as it is held beside another's."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """One number of a run."""

    metric: str
    endpoint: str
    """Empty: all together."""
    variant: str
    """Or the effect of a matrix; empty where the run has but one."""
    value: float
    low: float | None
    high: float | None
    """The ends of its interval; None: it has none."""
    unit: str
    """Of a level; `change`: a relative change, as a fraction."""
    text: str
    interval: str
    verdict: str = ""
    margin: float = 0.0
    trend: bool = True
    """Whether its course over runs is drawn."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What the same number of another run is found by."""
        return self.metric, self.endpoint, self.variant
