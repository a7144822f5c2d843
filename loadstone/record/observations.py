"""Raw observations of the pair lane: one row a request, as a structured array."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt


class Outcome(IntEnum):
    """How a request ended; the numbers are stored in chunks and never change meaning."""

    OK = 0
    CHECK_FAILED = 1
    TOO_MANY_REQUESTS = 2
    CLIENT_ERROR = 3
    SERVER_ERROR = 4
    TIMEOUT = 5
    TRANSPORT_ERROR = 6
    REDIRECT = 7
    """A 3xx as the last answer: not followed, or not modified."""
    NOT_SENT = 8
    """Due, but never sent: the backlog of waiting work was full."""

    @property
    def failed(self) -> bool:
        """Whether a request that ended so counts as an error."""
        return self not in {Outcome.OK, Outcome.REDIRECT}

    @property
    def label(self) -> str:
        """The outcome in the words of the reports."""
        return _LABELS[self]


_LABELS = {
    Outcome.OK: "ok",
    Outcome.CHECK_FAILED: "check failed",
    Outcome.TOO_MANY_REQUESTS: "429",
    Outcome.CLIENT_ERROR: "other 4xx",
    Outcome.SERVER_ERROR: "5xx",
    Outcome.TIMEOUT: "timeout",
    Outcome.TRANSPORT_ERROR: "transport error",
    Outcome.REDIRECT: "3xx",
    Outcome.NOT_SENT: "not sent",
}

LABEL_OF_CLASS = {"4xx": _LABELS[Outcome.CLIENT_ERROR], "transport": _LABELS[Outcome.TRANSPORT_ERROR]}
"""The words of the reports for classes that thresholds name more briefly; the others are named alike."""

ROW = np.dtype(
    [
        ("pair", "<u4"),  # number of the pair within its generation
        ("step", "<u2"),  # index into the chunk's step names
        ("user", "<u2"),
        ("iteration", "<u4"),
        ("variant", "u1"),  # index into the plan's variants; 0 is before
        ("position", "u1"),  # 0 was sent first within the pair
        ("gap", "u1"),  # 1: sent after a quiet gap
        ("paired", "u1"),  # 0: journeys had diverged, the other side sent something else
        ("outcome", "u1"),
        ("status", "<u2"),
        ("service_us", "<i4"),  # from the send to the last byte
        ("start_us", "<i8"),  # since the generation's first timed request
        ("cpu_us", "<u4"),  # of all the variant's processes, until its next request; 0: unknown
        ("pace", "<f4"),  # mean log of the core's pace (ns of a fixed loop) meanwhile; 0: unknown
    ]
)
"""One request."""

SPIKE = np.dtype("<u4")
"""Nanoseconds of a request's service time that the generator spun; a chunk of them goes beside the rows."""

Rows = npt.NDArray[np.void]
Spikes = npt.NDArray[np.uint32]


def rows_from_bytes(data: bytes) -> Rows:
    """Return the rows packed in `data`; raises `ValueError` when its length fits no row."""
    return np.frombuffer(data, dtype=ROW)


def rows_from_list(rows: list[tuple[Any, ...]]) -> Rows:
    """Return a structured array of rows given as tuples in the order of `ROW`."""
    return np.array(rows, dtype=ROW)


def spikes_from_bytes(data: bytes, rows: int) -> Spikes:
    """Return the spikes packed in `data`, or none for each of `rows` where there is no data."""
    return np.frombuffer(data, dtype=SPIKE) if data else np.zeros(rows, dtype=SPIKE)
