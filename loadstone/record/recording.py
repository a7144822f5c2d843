"""What a load generator recorded: histograms by variant, endpoint, outcome and second.

Recordings add up: of several workers, of several takes of one worker, of blocks.
The last seconds are kept one by one; the older a stretch of time, the wider the
window that it is part of (1, 2, 4 … s), and there are never more than a certain
number of windows, so that a day needs no more room than an hour or two. What was
recorded over all is kept beside the windows, undiluted.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from loadstone.errors import MeasurementError
from loadstone.record.histogram import BUCKETS, Histogram, Quantile
from loadstone.record.observations import Outcome

WINDOWS_PER_WIDTH = 120
"""A window of w seconds is at most about this many times w old before it becomes part of a wider one."""
MOST_WINDOWS = 480
"""Reached after about two hours; from then on the oldest windows give way."""
TIDY_EVERY_S = 30
_MAGIC = b"LSR1"
_MAX_BYTES = 1 << 30

Time = Literal["response", "service", "lag"]


class Key(NamedTuple):
    """What a histogram is of."""

    variant: int
    endpoint: str
    outcome: Outcome


class Times(NamedTuple):
    """Three times a request, in microseconds."""

    response: Histogram
    """From the intended start to the last byte."""
    service: Histogram
    """From the send to the last byte."""
    lag: Histogram
    """From the intended start to the send."""


class Window(NamedTuple):
    """A stretch of time, in seconds since the recording's zero; requests belong to the one they end in."""

    start_s: int
    width_s: int


Cells = dict[Key, Times]


@dataclass(eq=False)
class Recording:
    """Mergeable record of requests."""

    cells: Cells = field(default_factory=dict)
    """Everything, by key."""
    windows: dict[Window, Cells] = field(default_factory=dict)
    """The same, by time."""
    _newest_s: int = 0
    _tidy_at_s: int = 0

    def add(self, other: Recording) -> None:
        """Add what another recording holds; both must count time from the same instant."""
        for key, times in other.cells.items():
            _put(self.cells, key, times)
        for window, cells in other.windows.items():
            self._add_window(window, cells)
            self._newest_s = max(self._newest_s, _end(window))
        self._compact()

    def add_second(self, second: int, cells: Cells) -> None:
        """Add what ended in one second."""
        self.add(Recording(cells, {Window(second, 1): cells}))

    @property
    def total(self) -> int:
        """How many requests were recorded."""
        return sum(times.service.total for times in self.cells.values())

    def count(
        self,
        *,
        variant: int | None = None,
        endpoint: str | None = None,
        outcomes: Collection[Outcome] | None = None,
    ) -> int:
        """Return how many requests of these keys were recorded; None stands for all."""
        return self.histogram("service", variant=variant, endpoint=endpoint, outcomes=outcomes).total

    def histogram(
        self,
        time: Time = "response",
        *,
        variant: int | None = None,
        endpoint: str | None = None,
        outcomes: Collection[Outcome] | None = None,
    ) -> Histogram:
        """Return one of the three times over these keys; None stands for all."""
        return Histogram.total_of(
            getattr(times, time)
            for key, times in self.cells.items()
            if variant in {None, key.variant}
            and endpoint in {None, key.endpoint}
            and (outcomes is None or key.outcome in outcomes)
        )

    def quantile(
        self,
        q: float,
        time: Time = "response",
        *,
        variant: int | None = None,
        endpoint: str | None = None,
        outcomes: Collection[Outcome] = (Outcome.OK, Outcome.REDIRECT),
    ) -> Quantile:
        """Return the q-quantile of requests that ended so, timeouts always among them as censored.

        A lag is never cut short by a timeout.
        """
        given = [one for one in outcomes if one is not Outcome.TIMEOUT]
        timed = self.histogram(time, variant=variant, endpoint=endpoint, outcomes=given)
        late = self.histogram(time, variant=variant, endpoint=endpoint, outcomes=(Outcome.TIMEOUT,))
        return (timed + late).quantile(q) if time == "lag" else timed.quantile(q, late)

    def between(self, start_s: int, end_s: int) -> Recording:
        """Return what is in the windows that lie inside [start_s, end_s)."""
        chosen = {w: c for w, c in self.windows.items() if start_s <= w.start_s and _end(w) <= end_s}
        part = Recording(windows=chosen)
        for cells in chosen.values():
            for key, times in cells.items():
                _put(part.cells, key, times)
        return part

    def pack(self) -> bytes:
        """Return the recording as a chunk of bytes: a mark, then compressed MessagePack."""
        keys = sorted({*self.cells, *(key for cells in self.windows.values() for key in cells)})
        numbers = {key: number for number, key in enumerate(keys)}
        body = _Body(
            keys=[_Key(*key) for key in keys],
            cells=_packed(self.cells, numbers),
            windows=[(*window, _packed(self.windows[window], numbers)) for window in sorted(self.windows)],
        )
        return _MAGIC + zlib.compress(msgspec.msgpack.encode(body), 6)

    @classmethod
    def unpack(cls, chunk: bytes) -> Recording:
        """Return the recording that `pack` wrote; raises `MeasurementError` when it is none."""
        try:
            body = msgspec.msgpack.decode(_inflate(chunk), type=_Body)
            keys = [Key(key.variant, key.endpoint, key.outcome) for key in body.keys]
            cells = _unpacked(body.cells, keys)
            windows = {Window(start, width): _unpacked(one, keys) for start, width, one in body.windows}
        except (zlib.error, msgspec.DecodeError, ValueError, IndexError, TypeError) as error:
            raise MeasurementError("a recording cannot be read", cause=str(error)) from error
        return cls(cells, windows)

    def _add_window(self, window: Window, cells: Cells) -> None:
        home = next((w for w in self._around(window) if w in self.windows), window)
        target = dict(self.windows.pop(home, {}))
        inner = range(home.start_s, _end(home)) if home.width_s > 1 else ()
        for narrow in [w for w in self.windows if w.start_s in inner]:
            for key, times in self.windows.pop(narrow, {}).items():
                _put(target, key, times)
        for key, times in cells.items():
            _put(target, key, times)
        self.windows[home] = target

    @staticmethod
    def _around(window: Window) -> Iterator[Window]:
        """Yield the window and the wider ones that hold it."""
        start, width = window
        while width <= 1 << 30:
            yield Window(start // width * width, width)
            width *= 2

    def _compact(self) -> None:
        """Widen the windows that have become old, oldest first."""
        if self._newest_s < self._tidy_at_s:
            return
        self._tidy_at_s = self._newest_s + TIDY_EVERY_S
        for window in sorted(self.windows):
            aged = window
            while aged in self.windows and _old(_widened(aged), self._newest_s):
                aged = _widened(aged)
                self._add_window(aged, {})
        while len(self.windows) > MOST_WINDOWS:
            self._add_window(_widened(min(self.windows)), {})


def _end(window: Window) -> int:
    return window.start_s + window.width_s


def _widened(window: Window) -> Window:
    width = 2 * window.width_s
    return Window(window.start_s // width * width, width)


def _old(window: Window, newest_s: int) -> bool:
    return newest_s - _end(window) >= WINDOWS_PER_WIDTH * window.width_s // 2


def _put(cells: Cells, key: Key, times: Times) -> None:
    known = cells.get(key)
    cells[key] = times if known is None else Times(*(a + b for a, b in zip(known, times, strict=True)))


class _Key(msgspec.Struct, array_like=True):
    variant: int
    endpoint: str
    outcome: Outcome


class _Counts(msgspec.Struct, array_like=True):
    """One histogram: distances between buckets and counts, little-endian."""

    buckets: bytes
    counts: bytes
    item_bytes: int
    sum_us: int
    max_us: int


class _Body(msgspec.Struct, array_like=True):
    keys: list[_Key]
    cells: list[tuple[int, _Counts, _Counts, _Counts]]
    windows: list[tuple[int, int, list[tuple[int, _Counts, _Counts, _Counts]]]]


def _packed(cells: Cells, numbers: dict[Key, int]) -> list[tuple[int, _Counts, _Counts, _Counts]]:
    return [
        (numbers[key], _shrunk(times.response), _shrunk(times.service), _shrunk(times.lag))
        for key, times in sorted(cells.items(), key=lambda cell: numbers[cell[0]])
    ]


def _unpacked(packed: Iterable[tuple[int, _Counts, _Counts, _Counts]], keys: list[Key]) -> Cells:
    return {keys[number]: Times(*(_grown(one) for one in three)) for number, *three in packed}


def _shrunk(histogram: Histogram) -> _Counts:
    steps = np.diff(histogram.buckets, prepend=histogram.buckets.dtype.type(0))
    size = histogram.counts.dtype.itemsize
    return _Counts(
        steps.astype("<u2").tobytes(),
        histogram.counts.astype(f"<u{size}").tobytes(),
        size,
        histogram.sum_us,
        histogram.max_us,
    )


def _grown(packed: _Counts) -> Histogram:
    if packed.item_bytes not in {1, 2, 4, 8}:
        raise ValueError(f"counts of {packed.item_bytes} bytes")
    steps = np.frombuffer(packed.buckets, dtype="<u2")
    counts = np.frombuffer(packed.counts, dtype=f"<u{packed.item_bytes}")
    if steps.size != counts.size:
        raise ValueError("buckets and counts differ in number")
    buckets = np.cumsum(steps, dtype=np.uint16)
    if buckets.size and int(buckets.max()) >= BUCKETS:
        raise ValueError("a bucket lies beyond the last one")
    counts = counts.astype(counts.dtype.newbyteorder("="))
    return Histogram(buckets, counts, packed.sum_us, packed.max_us)


def _inflate(chunk: bytes) -> bytes:
    if chunk[: len(_MAGIC)] != _MAGIC:
        raise ValueError("it does not begin with the mark of a recording")
    inflater = zlib.decompressobj()
    body = inflater.decompress(chunk[len(_MAGIC) :], _MAX_BYTES)
    if not inflater.eof or inflater.unused_data:
        raise ValueError("it is cut short or too long")
    return body
