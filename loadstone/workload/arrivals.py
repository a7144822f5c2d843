"""When work is due: arrival i at t0 + F^-1(i), where F is the integral of the rate. Never a sum of sleeps.

Evenly spaced arrivals are the whole numbers i >= 0; Poisson arrivals are the sums
of independent exponentials of mean 1, a Poisson process of unit rate. Both are
mapped through the same F^-1, which makes the second a Poisson process with the
wanted intensity (Çinlar 1975, "Introduction to Stochastic Processes", 4.7: time
change by the integrated rate). So the numbers of arrivals in a stretch match the
area under the rate: within 1, or within Poisson noise.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loadstone.config.rates import Piece, Rate
from loadstone.errors import ConfigurationError
from loadstone.stats.streams import Part, stream_seed

CHUNK = 4096
"""Arrivals computed at once: memory stays the same however long the plan."""
_DUST = 1e-9
"""Of an arrival: an area of 10.0000000001 holds ten."""
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class Curve:
    """F and its inverse for a rate that is linear in pieces."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._start_s = _before([piece.duration_s for piece in pieces])
        self._count = _before([piece.arrivals for piece in pieces])
        self._rps = np.array([piece.start_rps for piece in pieces])
        self._slope = np.array([_slope(piece) for piece in pieces])

    def count(self, seconds: FloatArray) -> FloatArray:
        """Return F: arrivals until `seconds` [n], not rounded."""
        at = np.asarray(seconds, dtype=np.float64)
        piece = np.clip(np.searchsorted(self._start_s[:-1], at, side="right") - 1, 0, self._rps.size - 1)
        into = np.minimum(at, self._start_s[-1]) - self._start_s[piece]
        counted: FloatArray = self._count[piece] + into * (self._rps[piece] + self._slope[piece] * into / 2)
        return counted

    def due_s(self, arrivals: FloatArray) -> FloatArray:
        """Return F^-1 in seconds for `arrivals` [n], which must lie below the plan's total.

        Where the rate is 0 for a while, F is flat: the arrival is due when it rises again.
        """
        wanted = np.asarray(arrivals, dtype=np.float64)
        piece = np.searchsorted(self._count[1:-1] - _DUST, wanted, side="right")
        rest = np.maximum(wanted - self._count[piece], 0.0)
        rps, slope = self._rps[piece], self._slope[piece]
        root = np.sqrt(np.maximum(rps * rps + 2 * slope * rest, 0.0))
        # the stable form of the quadratic's root; a rest of 0 is the piece's start, whatever its rate
        into = np.divide(2 * rest, rps + root, out=np.zeros_like(rest), where=rest > 0)
        due: FloatArray = np.minimum(self._start_s[piece] + into, self._start_s[piece + 1])
        return due

    def whole(self, seconds: float) -> int:
        """Return how many evenly spaced arrivals are due before `seconds`."""
        return math.ceil(float(self.count(np.array([seconds]))[0]) - _DUST)


@dataclass(frozen=True, slots=True)
class Share:
    """Which arrivals are a worker's, from one epoch on: those with i = place (mod workers).

    A worker that joins or leaves opens a new epoch at an arrival that is not yet due;
    nobody's earlier arrivals change hands.
    """

    first: int = 0
    """The first arrival of the epoch."""
    workers: int = 1
    place: int | None = 0
    """None: the worker takes no part in this epoch."""

    def __post_init__(self) -> None:
        fits = self.place is None or 0 <= self.place < self.workers
        if self.first < 0 or self.workers < 1 or not fits:
            raise ConfigurationError(
                f"there is no place {self.place} among {self.workers} workers", remedy="count from 0"
            )


ALONE = (Share(),)


@dataclass(frozen=True, slots=True)
class Batch:
    """Some of a worker's arrivals, in the order in which they are due."""

    number: IntArray
    """i of each, counted over all workers from the window's start."""
    due_ns: IntArray
    """Since the window's start."""

    def __len__(self) -> int:
        return int(self.number.size)


@dataclass(frozen=True)
class Arrivals:
    """The arrivals of one window of a plan, a function of `key` alone.

    Args:
        rate: the plan.
        start_s, stop_s: the window, in seconds of the plan.
        key: names the random stream of Poisson arrivals: seed, lane, generation, block, …
            Not the variant: all variants get identical arrivals.
    """

    rate: Rate
    start_s: float
    stop_s: float
    key: tuple[Part, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.start_s < self.stop_s < math.inf:
            raise ConfigurationError(
                f"a window from {self.start_s:g} s to {self.stop_s:g} s holds no arrivals",
                remedy="give the run a duration: --for 1m, or /1m in the rate",
            )

    @property
    def expected(self) -> float:
        """The area under the rate within the window."""
        before, after = Curve(self.rate.pieces).count(np.array([self.start_s, self.stop_s]))
        return float(after - before)

    def batches(self, shares: Sequence[Share] = ALONE, after: int = -1) -> Iterator[Batch]:
        """Yield the arrivals that are the worker's, `CHUNK` or fewer at a time, by due time.

        Args:
            shares: the epochs by `first`, ascending; the first one should begin at 0.
            after: the last arrival that is left out.
        """
        for number, due_ns in self._all(after):
            mine = owned(number, shares) & (number > after)
            if mine.any():
                yield Batch(number[mine], due_ns[mine])

    def first_due(self, after_ns: int) -> int:
        """Return the first arrival that is due at `after_ns` or later; where none is, how many there are."""
        count = 0
        for number, due_ns in self._all():
            count = int(number[-1]) + 1
            if due_ns[-1] >= after_ns:
                return int(number[np.searchsorted(due_ns, after_ns)])
        return count

    def count(self, shares: Sequence[Share] = ALONE, until: int | None = None) -> int:
        """Return how many arrivals below `until` are the worker's; None stands for all."""
        total = 0
        for first, wanted in self._walk(Curve(self.rate.pieces)):
            number = np.arange(first, first + wanted.size, dtype=np.int64)
            if until is not None:
                number = number[number < until]
            if not number.size:
                break
            total += int(np.count_nonzero(owned(number, shares)))
        return total

    def _walk(self, curve: Curve) -> Iterator[tuple[int, FloatArray]]:
        return self._random(curve) if self.rate.poisson else self._even(curve)

    def _all(self, after: int = -1) -> Iterator[tuple[IntArray, IntArray]]:
        curve = Curve(self.rate.pieces)
        for first, wanted in self._walk(curve):
            if first + wanted.size <= after + 1:
                continue
            due_ns = np.rint((curve.due_s(wanted) - self.start_s) * 1e9).astype(np.int64)
            yield np.arange(first, first + wanted.size, dtype=np.int64), np.maximum(due_ns, 0)

    def _even(self, curve: Curve) -> Iterator[tuple[int, FloatArray]]:
        begin, end = curve.whole(self.start_s), curve.whole(self.stop_s)
        for first in range(begin, end, CHUNK):
            yield first - begin, np.arange(first, min(first + CHUNK, end), dtype=np.float64)

    def _random(self, curve: Curve) -> Iterator[tuple[int, FloatArray]]:
        """Map sums of exponentials; the k-th block of them is a function of key and k."""
        at, end = curve.count(np.array([self.start_s, self.stop_s]))
        first = 0
        for block in range(2**40):
            wanted = at + np.cumsum(exponentials(CHUNK, *self.key, "arrivals", block))
            at = wanted[-1]
            inside = wanted[wanted < end]
            if inside.size:
                yield first, inside
            first += inside.size
            if inside.size < wanted.size:
                return


def owned(number: IntArray, shares: Sequence[Share]) -> NDArray[np.bool_]:
    """Mark the arrivals [n] that belong to a worker with these shares."""
    mine = np.zeros(number.shape, dtype=np.bool_)
    for index, share in enumerate(shares):
        until = shares[index + 1].first if index + 1 < len(shares) else np.iinfo(np.int64).max
        if share.place is not None:
            here = (number >= share.first) & (number < until)
            mine |= here & (number % share.workers == share.place)
    return mine


def exponentials(count: int, *parts: Part) -> FloatArray:
    """Return `count` independent exponentials of mean 1, a function of `parts`."""
    seed = stream_seed(*parts).to_bytes(8, "big")
    bits = np.frombuffer(hashlib.shake_256(seed).digest(8 * count), dtype=">u8") >> np.uint64(11)
    drawn: FloatArray = -np.log1p(-(bits.astype(np.float64) * 2.0**-53))
    return drawn


def arrivals_per_second(rate: Rate, start_s: float, stop_s: float) -> FloatArray:
    """Return the planned arrivals in each second [ceil(stop - start)] of a window, not rounded."""
    edges = np.append(np.arange(start_s, stop_s, 1.0), stop_s)
    planned: FloatArray = np.diff(Curve(rate.pieces).count(edges))
    return planned


def _before(values: Sequence[float]) -> FloatArray:
    """Return the running sum [n + 1], from 0."""
    return np.concatenate([[0.0], np.cumsum(np.array(values, dtype=np.float64))])


def _slope(piece: Piece) -> float:
    return 0.0 if math.isinf(piece.duration_s) else (piece.end_rps - piece.start_rps) / piece.duration_s
