"""CPU seconds and memory of process trees, read from the kernel.

A process' CPU clock counts all its threads in nanoseconds and can be read by
anybody: the clock's number is made from the pid (Linux, `MAKE_PROCESS_CPUCLOCK`
with CPUCLOCK_SCHED in include/linux/posix-timers.h). What exited children used
is only in their parent's cutime and cstime, in ticks of 10 ms.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_CPUCLOCK_SCHED = 2
_CUTIME, _CSTIME = 13, 14
"""Indices in /proc/<pid>/stat, counted after the command's closing parenthesis."""


@dataclass(frozen=True, slots=True)
class CpuReading:
    """CPU seconds since the start of a variant's processes; None: unavailable."""

    server_s: float | None
    database_s: float | None
    cache_s: float | None
    companions_s: float = 0.0

    def __sub__(self, earlier: CpuReading) -> CpuReading:
        return CpuReading(
            _difference(self.server_s, earlier.server_s),
            _difference(self.database_s, earlier.database_s),
            _difference(self.cache_s, earlier.cache_s),
            self.companions_s - earlier.companions_s,
        )

    def total_s(self) -> float | None:
        """Return the CPU seconds of all processes together; None where some are unavailable."""
        if self.server_s is None or self.database_s is None or self.cache_s is None:
            return None
        return self.server_s + self.database_s + self.cache_s + self.companions_s


def _difference(later: float | None, earlier: float | None) -> float | None:
    return None if later is None or earlier is None else later - earlier


def process_seconds(pid: int) -> float:
    """Return the CPU seconds of one process, all threads; 0.0 when it is gone."""
    try:
        return time.clock_gettime_ns((~pid << 3) | _CPUCLOCK_SCHED) / 1e9
    except OSError:
        return 0.0


def tree_seconds(pid: int) -> float:
    """Return the CPU seconds of a process and its descendants, living and reaped."""
    return sum(process_seconds(each) + _reaped_seconds(each) for each in tree(pid))


def tree(pid: int) -> list[int]:
    """Return `pid` and its living descendants, parents first; empty when it is gone."""
    if not Path(f"/proc/{pid}").exists():
        return []
    found = [pid]
    for each in found:  # grows while it is walked
        found.extend(_children(each))
    return found


def forked_workers(pid: int) -> list[int]:
    """Return the descendants of a process that run its own program, as pre-fork servers' workers do."""
    return [each for each in tree(pid)[1:] if _program(each) == _program(pid) != ""]


def is_running(pid: int) -> bool:
    """Tell whether a process is there and has not ended; one that waits to be reaped has."""
    try:
        state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
    except OSError:
        return False
    return state not in {b"Z", b"X"}


def _program(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/exe")  # noqa: PTH115 - the text, and not where it leads
    except OSError:
        return ""


def tree_memory_bytes(pid: int) -> int:
    """Return the memory of a process tree, pages shared within it counted once (PSS)."""
    return sum(_memory_bytes(each) for each in tree(pid))


def _children(pid: int) -> list[int]:
    children: list[int] = []
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return children
    for thread in threads:
        try:
            text = (thread / "children").read_text()
        except OSError:  # the thread ended
            continue
        children.extend(int(word) for word in text.split())
    return children


def _reaped_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[_CUTIME]) + int(fields[_CSTIME])) * _TICK_S


def _memory_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return _resident_bytes(pid)
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def _resident_bytes(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
