"""Waiting until processes have worked off what was left to them.

Where companions do a part of a request's work after its answer, the next request
must not be measured beside it. Whether they still work is told from their CPU, and
from whether one of them waits for a core: the harness knows nothing of a target's
queues. What only sleeps passes for rest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from loadstone.target.cpu import process_seconds, tree

POLL_S = 0.01
IDLE_SHARE = 0.05
"""Of one core, over one poll: timers of idle servers use less."""
PATIENCE_S = 30.0
_BUSY = frozenset("RD")
"""States of a thread in /proc/<pid>/task/<tid>/stat: runs or waits for a core, waits for a disk."""


def await_rest(
    roots: Sequence[int], *, sleep: Callable[[float], None] = time.sleep, patience_s: float = PATIENCE_S
) -> bool:
    """Return True once the trees of `roots` are idle over one poll, False where they never were.

    Args:
        roots: processes; none of them: at rest.
        sleep: waits for seconds.
        patience_s: longest wait.
    """
    if not roots:
        return True
    deadline = time.monotonic() + patience_s
    pids = [pid for root in roots for pid in tree(root)]
    last_s, used = time.monotonic(), _used_s(pids)
    while True:
        sleep(POLL_S)
        now_s, now_used = time.monotonic(), _used_s(pids)
        if now_used - used < IDLE_SHARE * (now_s - last_s) and not any(map(_is_busy, pids)):
            return True
        if now_s >= deadline:
            return False
        last_s, used = now_s, now_used


def _used_s(pids: Sequence[int]) -> float:
    return sum(process_seconds(pid) for pid in pids)


def _is_busy(pid: int) -> bool:
    """Tell whether a thread of a process would go on if it could: on a busy machine that takes no CPU."""
    for path in Path(f"/proc/{pid}/task").glob("*/stat"):
        try:
            state = path.read_bytes().rpartition(b")")[2].split()[0].decode()
        except (OSError, IndexError):  # the thread ended
            continue
        if state in _BUSY:
            return True
    return False
