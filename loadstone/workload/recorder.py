"""The hot end of recording: one call a request, folded into histograms in batches.

A call stores four integers; every `BATCH` of them, numpy turns the lot into counts.
Only the second that is going on is kept dense; a second that is over becomes sparse
histograms, and whoever wants them takes them (`take`). Left alone, a recorder merges
them itself, so that its memory stays as small as a `Recording`'s.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from loadstone.record.histogram import BUCKETS, LARGEST_US, Histogram, bucket_of
from loadstone.record.observations import Outcome
from loadstone.record.recording import Cells, Key, Recording, Times

BATCH = 1024
"""Requests folded at once: some 0.2 ms of work."""
UNTAKEN_SECONDS = 64
"""Seconds that wait for `take` before the recorder merges them itself."""
MAX_ENDPOINTS = 1000
OTHER_ENDPOINTS = "(other endpoints)"
"""Where requests are counted once there are too many names: addresses used as names, mostly."""
_OUTCOME_BITS = 4
_FIELDS = 4
_TIMES = 3
_NS_PER_US = 1_000
_NS_PER_S = 1_000_000_000


class Recorder:
    """Records requests of one process; not thread-safe, as greenlets need none of that.

    Args:
        zero_ns: the instant from which seconds count, on the clock of the times recorded
            (`time.perf_counter_ns`).
    """

    def __init__(self, zero_ns: int = 0) -> None:
        self.recorded = 0
        """Requests folded so far; those of the last batch are not among them yet."""
        self._zero_ns = zero_ns
        self._endpoints: dict[tuple[int, str], int] = {}
        self._names: list[tuple[int, str]] = []
        self._buffer: list[int] = []
        self._store = self._buffer.extend
        self._full = BATCH * _FIELDS
        self._open = _OpenSecond()
        self._sealed: list[tuple[int, Cells]] = []
        self._kept = Recording()

    def endpoint(self, name: str, variant: int = 0) -> int:
        """Return the number under which `record` knows this endpoint of this variant."""
        key = (variant, name)
        number = self._endpoints.get(key)
        if number is None:
            if len(self._names) >= MAX_ENDPOINTS and name != OTHER_ENDPOINTS:
                return self.endpoint(OTHER_ENDPOINTS, variant)
            number = self._endpoints[key] = len(self._names)
            self._names.append(key)
        return number

    def record(self, endpoint: int, outcome: int, intended_ns: int, send_ns: int, end_ns: int) -> None:
        """Record one request.

        Args:
            endpoint: what `endpoint` returned.
            outcome: an `Outcome`. Of a timeout, `end_ns` is when it was given up.
            intended_ns: when the plan said that it starts; equal to `send_ns` without a plan.
            send_ns: when the client turned to it, connecting included.
            end_ns: when the last byte was there.
        """
        self._store((endpoint << _OUTCOME_BITS | outcome, intended_ns, send_ns, end_ns))
        if len(self._buffer) >= self._full:
            self.fold()

    def fold(self) -> None:
        """Count what was recorded since the last time; done by itself, but cheaper in an idle moment."""
        if not self._buffer:
            return
        rows = np.fromiter(self._buffer, np.int64, len(self._buffer)).reshape(-1, _FIELDS)
        self._buffer.clear()
        self.recorded += len(rows)
        seconds = (rows[:, 3] - self._zero_ns) // _NS_PER_S
        first, last = int(seconds.min()), int(seconds.max())
        if first == last:
            self._count(first, rows)
            return
        for second in np.unique(seconds).tolist():
            self._count(second, rows[seconds == second])

    def take(self) -> Recording:
        """Return everything recorded since the last take, the second that is going on included.

        Takes add up to the whole, whenever they happen.
        """
        self.fold()
        self._seal()
        self._merge()
        taken, self._kept = self._kept, Recording()
        return taken

    def split(self) -> Recorder:
        """Hand everything recorded since the last take to a recorder of its own, whose `take` returns it.

        Costs microseconds, so that several recorders can be cut at the same instant.
        """
        part = Recorder(self._zero_ns)
        part._endpoints, part._names = self._endpoints, self._names
        part._buffer, self._buffer = self._buffer, part._buffer
        part._open, self._open = self._open, part._open
        part._sealed, self._sealed = self._sealed, part._sealed
        part._kept, self._kept = self._kept, part._kept
        self._store, part._store = self._buffer.extend, part._buffer.extend
        self.recorded += len(part._buffer) // _FIELDS
        return part

    def _count(self, second: int, rows: npt.NDArray[np.int64]) -> None:
        if second != self._open.second:
            self._seal()
            self._open.second = second
            if len(self._sealed) >= UNTAKEN_SECONDS:
                self._merge()
        self._open.add(rows)

    def _seal(self) -> None:
        cells = {
            Key(*self._names[code >> _OUTCOME_BITS], Outcome(code & (1 << _OUTCOME_BITS) - 1)): times
            for code, times in self._open.empty().items()
        }
        if cells:
            self._sealed.append((self._open.second, cells))

    def _merge(self) -> None:
        for second, cells in self._sealed:
            self._kept.add_second(second, cells)
        self._sealed.clear()


class _OpenSecond:
    """Dense counts of one second: a row for each (endpoint, outcome) that occurred in it."""

    def __init__(self) -> None:
        self.second = 0
        self._row_of: dict[int, int] = {}
        self._place_of: npt.NDArray[np.int64] = np.full(64, -1, np.int64)
        """The same as an array indexed by code, -1 where there is no row."""
        self._counts: npt.NDArray[np.uint32] = np.zeros((0, _TIMES, BUCKETS), np.uint32)
        self._sums: npt.NDArray[np.int64] = np.zeros((0, _TIMES), np.int64)
        self._largest: npt.NDArray[np.int64] = np.zeros((0, _TIMES), np.int64)

    def add(self, rows: npt.NDArray[np.int64]) -> None:
        """Count requests given as (code, intended, send, end), shape (n, 4)."""
        intended, send, end = rows[:, 1], rows[:, 2], rows[:, 3]
        ns = np.concatenate((end - intended, end - send, send - intended))
        us = np.clip(ns // _NS_PER_US, 0, LARGEST_US)
        first = self._places(rows[:, 0]) * _TIMES
        cell = np.concatenate((first, first + 1, first + 2))
        # indices and addends of the arrays' own types and of one dimension: numpy is 20 times faster so
        np.add.at(self._counts.reshape(-1), cell * BUCKETS + bucket_of(us), np.uint32(1))
        np.add.at(self._sums.reshape(-1), cell, us)
        np.maximum.at(self._largest.reshape(-1), cell, us)

    def empty(self) -> dict[int, Times]:
        """Return what was counted, by code, and count from zero again."""
        found: dict[int, Times] = {}
        for code, row in self._row_of.items():
            found[code] = Times(*(self._histogram(row, time) for time in range(_TIMES)))
        self._counts[: len(found)] = 0
        self._sums[: len(found)] = 0
        self._largest[: len(found)] = 0
        self._row_of.clear()
        self._place_of[:] = -1
        return found

    def _histogram(self, row: int, time: int) -> Histogram:
        largest = int(self._largest[row, time])
        top = int(bucket_of(np.array([largest]))[0]) + 1
        return Histogram.from_dense(self._counts[row, time, :top], int(self._sums[row, time]), largest)

    def _places(self, codes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the row of each code, making rows for new ones."""
        highest = int(codes.max())
        if highest >= len(self._place_of):
            self._place_of = np.concatenate((self._place_of, np.full(highest + 64, -1, np.int64)))
        places = self._place_of[codes]
        if places.min() >= 0:
            return places
        for code in np.unique(codes[places < 0]).tolist():
            self._place_of[code] = self._row_of[code] = len(self._row_of)
        missing = len(self._row_of) - len(self._counts)
        if missing > 0:
            more = max(missing, 8)
            self._counts = _longer(self._counts, more)
            self._sums = _longer(self._sums, more)
            self._largest = _longer(self._largest, more)
        return self._place_of[codes]


def _longer(rows: npt.NDArray[Any], more: int) -> npt.NDArray[Any]:
    return np.concatenate((rows, np.zeros((more, *rows.shape[1:]), rows.dtype)))
