"""CPU that one variant's processes have used so far, read between requests."""

from __future__ import annotations

from collections.abc import Sequence

from loadstone.target.cpu import process_seconds, tree

RESCAN_EVERY = 64
"""Readings after which processes are looked for anew: a backend may have come up."""


class ProcessCpu:
    """A running total over process trees; it never falls, also when a process ends.

    What exited children used is missing: the harness holds the sum against the
    kernel's own count for the whole tree, and uses that where they differ.
    """

    def __init__(self, roots: Sequence[int]) -> None:
        self._roots = list(roots)
        self._seconds: dict[int, float] = {}
        self._readings = 0

    def read_us(self) -> int:
        """Return the microseconds of CPU used so far; a reading takes about one microsecond a process."""
        if self._readings % RESCAN_EVERY == 0:
            for root in self._roots:
                for pid in tree(root):
                    self._seconds.setdefault(pid, 0.0)
        self._readings += 1
        for pid, so_far in self._seconds.items():
            self._seconds[pid] = max(so_far, process_seconds(pid))
        return round(sum(self._seconds.values()) * 1e6)
