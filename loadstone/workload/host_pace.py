"""What the pace of the core was while each request was served."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from loadstone.workload.pace import SAMPLING, STOPPED, Shared

OUTLYING = math.log(4.0)
"""A sample this far from the median was disturbed by something else than the core's pace."""


class HostPace:
    """Switches a core's sampler on, and tells the mean pace over intervals of time."""

    def __init__(self, path: str) -> None:
        self._shared = Shared(Path(path)) if path else None
        self._since = 0

    def start(self) -> None:
        """Begin to sample."""
        if self._shared is not None:
            self._since = self._shared.count
            self._shared.mode = SAMPLING

    def stop(self) -> None:
        """Sample no more."""
        if self._shared is not None:
            self._shared.mode = STOPPED

    def over(self, start_ns: NDArray[np.int64], end_ns: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the mean log of the loop's nanoseconds over intervals [n]; 0 where unknown."""
        samples = np.array(self._shared.samples(self._since) if self._shared else [], dtype=np.int64)
        return mean_pace(samples.reshape(-1, 2), start_ns, end_ns)


def mean_pace(
    samples: NDArray[np.int64], start_ns: NDArray[np.int64], end_ns: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the mean log pace over intervals [n], from samples [m, 2] of (time, loop), in ns.

    An interval without a sample takes the next one after it began, or the last of
    all. 0, which no loop takes, stands for unknown.
    """
    samples = samples[samples[:, 1] > 0]
    if not len(samples):
        return np.zeros(start_ns.size)
    logs = np.log(samples[:, 1].astype(np.float64))
    middle = float(np.median(logs))
    logs = np.clip(logs, middle - OUTLYING, middle + OUTLYING)
    sums = np.concatenate([[0.0], np.cumsum(logs)])
    first = np.minimum(np.searchsorted(samples[:, 0], start_ns), len(logs) - 1)
    last = np.maximum(np.searchsorted(samples[:, 0], end_ns), first + 1)
    mean: NDArray[np.float64] = (sums[last] - sums[first]) / (last - first)
    return mean
