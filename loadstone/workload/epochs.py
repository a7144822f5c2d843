"""Who sends which arrival, while workers come and go: a list of epochs, each with its workers in order.

An epoch begins at an arrival that is not due yet. From there on the worker at place k
of W takes the arrivals i ≡ k (mod W); earlier arrivals stay with whoever had them. So
every arrival belongs to exactly one worker, alive or dead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from loadstone.errors import MeasurementError
from loadstone.workload.arrivals import Share


@dataclass(frozen=True, slots=True)
class Epoch:
    """Who shares the arrivals from `first` on."""

    first: int
    workers: tuple[str, ...]


@dataclass
class Epochs:
    """The epochs of one block of load.

    Args:
        workers: names of those that take part from the first arrival on.
    """

    workers: Sequence[str]
    epochs: list[Epoch] = field(init=False)

    def __post_init__(self) -> None:
        self.epochs = [Epoch(0, _distinct(self.workers))]

    @property
    def now(self) -> Epoch:
        """The epoch opened last."""
        return self.epochs[-1]

    def open(self, first: int, workers: Sequence[str]) -> None:
        """Let `workers` share the arrivals from `first` on, which must not lie before the last epoch.

        Raises:
            MeasurementError: nobody is left, or the epochs would not follow each other.
        """
        named = _distinct(workers)
        if first < self.now.first:
            raise MeasurementError(f"an epoch at arrival {first} would begin before the last one")
        if first == self.now.first:
            self.epochs.pop()  # nothing was due in it
        self.epochs.append(Epoch(first, named))

    def shares(self, worker: str) -> list[Share]:
        """Return a worker's share of every epoch; of those that it has no part in too."""
        return [
            Share(
                epoch.first,
                len(epoch.workers),
                epoch.workers.index(worker) if worker in epoch.workers else None,
            )
            for epoch in self.epochs
        ]

    @property
    def everybody(self) -> list[str]:
        """All workers of all epochs, each once, in the order in which they came."""
        return list(dict.fromkeys(name for epoch in self.epochs for name in epoch.workers))


def _distinct(workers: Sequence[str]) -> tuple[str, ...]:
    if not workers:
        raise MeasurementError("no worker is left", remedy="see generator.log in the run folder")
    if len(set(workers)) < len(workers):
        raise MeasurementError("two workers have the same name")
    return tuple(workers)
