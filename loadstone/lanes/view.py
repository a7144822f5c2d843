"""What a running lane tells whoever watches; the command line draws it."""

from __future__ import annotations

from typing import Protocol

from loadstone.record.plan import Plan
from loadstone.record.probed import Probe
from loadstone.record.result import Contrast


class View(Protocol):
    """Receives progress; every method returns at once."""

    def planned(self, plan: Plan) -> None:
        """The plan is frozen."""

    def step(self, text: str, share: float | None = None) -> None:
        """Something else has begun, or got as far as `share` (0 to 1)."""

    def probed(self, probe: Probe) -> None:
        """The probe lane is through."""

    def measuring(self, generation: int, share: float, pairs: int) -> None:
        """A generation, counted from 0, has got as far as `share` of its time."""

    def looked(self, generation: int, contrasts: list[Contrast]) -> None:
        """A look after `generation` generations gave these gating contrasts."""


class Silent:
    """A view that shows nothing."""

    def planned(self, plan: Plan) -> None:
        """Show nothing."""

    def step(self, text: str, share: float | None = None) -> None:
        """Show nothing."""

    def probed(self, probe: Probe) -> None:
        """Show nothing."""

    def measuring(self, generation: int, share: float, pairs: int) -> None:
        """Show nothing."""

    def looked(self, generation: int, contrasts: list[Contrast]) -> None:
        """Show nothing."""
