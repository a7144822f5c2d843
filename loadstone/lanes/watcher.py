"""What lanes with offered load tell whoever watches from outside, such as Prometheus.

The pair lane tells nothing: its timed blocks are not to be disturbed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from loadstone.record.recording import Recording
from loadstone.record.result import Contrast
from loadstone.stats.verdicts import Verdict
from loadstone.workload.load_protocol import BlockDone, Second


class Watcher(Protocol):
    """Receives what goes on; every method returns at once."""

    def began(self, run: str, title: str, variants: Sequence[tuple[str, str]]) -> None:
        """A run has a folder; `variants` are name and label of each, by the index in recordings."""

    def sendable(self, rps: float | None) -> None:
        """So many requests per second can the generator send; None: not known."""

    def serving(self, addresses: Mapping[str, str]) -> None:
        """These variants, by name, answer at these base URLs; empty: none does any more."""

    def generation(self, index: int) -> None:
        """A generation, counted from 0, is about to be measured."""

    def second(
        self,
        variant: int,
        second: Second,
        requests: Recording,
        schedule: Recording,
        planned: Sequence[float],
    ) -> None:
        """A second of a block is over.

        Args:
            variant: index of the one under load.
            second: how far the block is.
            requests: all that the block has brought so far.
            schedule: the same of iterations and of `(dispatch)`.
            planned: arrivals in each second of the block; empty in the closed model.
        """

    def block_over(
        self,
        variant: int,
        done: BlockDone,
        requests: Recording,
        schedule: Recording,
        planned: Sequence[float],
    ) -> None:
        """A block is over; the rest as for `second`."""

    def looked(self, contrasts: Sequence[Contrast]) -> None:
        """A look, or the end, gave these."""

    def ended(self, verdict: Verdict | None) -> None:
        """The run is over; None: it gives no verdict."""


class Unwatched:
    """Nobody watches."""

    def began(self, run: str, title: str, variants: Sequence[tuple[str, str]]) -> None:
        """Tell nobody."""

    def sendable(self, rps: float | None) -> None:
        """Tell nobody."""

    def serving(self, addresses: Mapping[str, str]) -> None:
        """Tell nobody."""

    def generation(self, index: int) -> None:
        """Tell nobody."""

    def second(
        self,
        variant: int,
        second: Second,
        requests: Recording,
        schedule: Recording,
        planned: Sequence[float],
    ) -> None:
        """Tell nobody."""

    def block_over(
        self,
        variant: int,
        done: BlockDone,
        requests: Recording,
        schedule: Recording,
        planned: Sequence[float],
    ) -> None:
        """Tell nobody."""

    def looked(self, contrasts: Sequence[Contrast]) -> None:
        """Tell nobody."""

    def ended(self, verdict: Verdict | None) -> None:
        """Tell nobody."""
