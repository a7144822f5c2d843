"""The pace of a core: how long a fixed loop takes on it, sampled about every millisecond.

A virtual CPU runs at changing speed, as neighbours come and go on the same
physical core; within a pair that is most of the noise. `python -m
loadstone.workload.pace FILE` samples it beside the requests, on the core that it
was started on, and knows nothing of variants. The loop fits into the first-level
cache, runs once untimed before it is timed, and its CPU time is taken, so that
neither what else runs on the core nor what that left in the caches shows.

The file is shared memory: a header (mode, samples so far), then a ring of samples.
"""

from __future__ import annotations

import gc
import mmap
import os
import struct
import sys
import time
from pathlib import Path

PERIOD_S = 0.001
LOOPS, WARM_LOOPS = 300, 100
CAPACITY = 1 << 16
"""Samples in the ring: a minute's worth."""
IDLE_S = 0.02
STOPPED, SAMPLING = 0, 1
_HEADER = struct.Struct("<QQ")
_SAMPLE = struct.Struct("<qq")
FILE_BYTES = _HEADER.size + CAPACITY * _SAMPLE.size


def make_file(path: Path) -> None:
    """Create the file that a sampler writes to."""
    path.write_bytes(bytes(FILE_BYTES))


class Shared:
    """The shared file, seen by the sampler and by its reader."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self.memory = mmap.mmap(file.fileno(), FILE_BYTES)

    @property
    def mode(self) -> int:
        """`STOPPED` or `SAMPLING`."""
        return int(_HEADER.unpack_from(self.memory)[0])

    @mode.setter
    def mode(self, value: int) -> None:
        struct.pack_into("<Q", self.memory, 0, value)

    @property
    def count(self) -> int:
        """Samples written so far."""
        return int(_HEADER.unpack_from(self.memory)[1])

    def write(self, at_ns: int, loop_ns: int) -> None:
        """Append a sample: when it was taken (`time.perf_counter_ns`), and how long the loop took."""
        count = self.count
        _SAMPLE.pack_into(self.memory, _HEADER.size + count % CAPACITY * _SAMPLE.size, at_ns, loop_ns)
        struct.pack_into("<Q", self.memory, 8, count + 1)

    def samples(self, since: int) -> list[tuple[int, int]]:
        """Return the samples from number `since` on, as far as the ring still has them."""
        count = self.count
        first = max(since, count - CAPACITY + 1)
        at = (_HEADER.size + number % CAPACITY * _SAMPLE.size for number in range(first, count))
        return [_SAMPLE.unpack_from(self.memory, offset) for offset in at]


def spin(loops: int) -> int:
    """Do a fixed amount of work."""
    total = 0
    for number in range(loops):
        total += number * number % 7
    return total


def sample(shared: Shared) -> None:
    """Take samples while asked to; sleep otherwise."""
    clock, now = time.thread_time_ns, time.perf_counter_ns
    while True:
        if shared.mode != SAMPLING:
            time.sleep(IDLE_S)
            continue
        for _ in range(100):
            time.sleep(PERIOD_S)
            spin(WARM_LOOPS)
            at_ns, begin = now(), clock()
            spin(LOOPS)
            shared.write(at_ns, clock() - begin)


def _go_first() -> None:
    """Run as soon as it is time, where the system lets us; a late sample is still a true one."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except (OSError, AttributeError):
        try:
            os.nice(-10)
        except OSError:
            return


def main() -> int:
    """Sample until killed."""
    gc.disable()
    shared = Shared(Path(sys.argv[1]))
    _go_first()
    sample(shared)
    return 0


if __name__ == "__main__":
    sys.exit(main())
