"""The account of a process: what every request cost, and what of it was added on purpose.

It is kept in a file that is mapped into memory, so that an entry costs a few
stores and outlives whatever ends the process. The file opens with one line of
JSON that names the columns and the process's choices, padded to `HEADER` bytes;
then come rows of signed 64-bit numbers, in the order in which requests ended.
An unused row is zero throughout.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import time
from dataclasses import astuple, dataclass, fields
from functools import lru_cache
from pathlib import Path
from threading import Lock

from django.conf import settings

HEADER = 1024
MOST_ROWS = 50_000
"""Of a sparse file: what is not used takes no room. Later requests are not accounted for."""


@dataclass(slots=True)
class Entry:
    """One request; times in nanoseconds."""

    begin_ns: int = 0
    """`time.perf_counter_ns` where the app took it up: the clock of all processes of a machine."""
    cpu_ns: int = 0
    """CPU of its thread up to the answer, without what was added."""
    added_cpu_ns: int = 0
    added_wall_ns: int = 0
    later_cpu_ns: int = 0
    """Added after the answer was sent."""
    later_wall_ns: int = 0
    backend_cpu_ns: int = 0
    """CPU of the database's process since the previous request of the same connection ended."""


COLUMNS = tuple(field.name for field in fields(Entry))
_ROW = struct.Struct(f"<{len(COLUMNS)}q")


class Account:
    """Entries of this process."""

    def __init__(self, folder: str) -> None:
        size = HEADER + MOST_ROWS * _ROW.size
        descriptor = -1
        if folder:
            name = f"{os.getpid()}-{time.perf_counter_ns()}.account"
            descriptor = os.open(Path(folder) / name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            os.ftruncate(descriptor, size)
        self._memory = mmap.mmap(descriptor, size)
        if folder:
            os.close(descriptor)
        header = json.dumps({"columns": COLUMNS, "choices": choices(), "header": HEADER})
        self._memory[:HEADER] = header.encode().ljust(HEADER - 1) + b"\n"
        self._rows = 0
        self._lock = Lock()

    def add(self, entry: Entry) -> None:
        """Note a request that has ended."""
        with self._lock:
            if self._rows < MOST_ROWS:
                _ROW.pack_into(self._memory, HEADER + self._rows * _ROW.size, *astuple(entry))
                self._rows += 1

    def sums(self) -> dict[str, object]:
        """Return the choices, the number of requests, and the sum of every column but the first."""
        end = HEADER + self._rows * _ROW.size
        rows = list(_ROW.iter_unpack(self._memory[HEADER:end]))
        totals = [sum(column) for column in zip(*rows, strict=True)] or [0] * len(COLUMNS)
        return {
            "choices": choices(),
            "requests": len(rows),
            **dict(list(zip(COLUMNS, totals, strict=True))[1:]),
        }


def choices() -> dict[str, str]:
    """Return the toggles as this process was given them."""
    return {name: os.environ.get(f"BENCH_{name.upper()}", "") for name in ("kind", "size", "query", "index")}


@lru_cache(maxsize=1)
def account() -> Account:
    """Return this process's account; made on first use, so after gunicorn forked."""
    return Account(settings.BENCH_RECORDS)
