"""When the work that a greenlet does now was due.

The scheduler says so before it lets a user work (`set_due`); the first request that
this greenlet sends takes it as its intended start (`take_due`). Any client may ask:
ours, and the listener that records what other clients report.
"""

from __future__ import annotations

from greenlet import getcurrent, greenlet

_due: dict[greenlet, int] = {}


def set_due(due_ns: int) -> None:
    """Note when the calling greenlet's next request was due, on the clock of `time.perf_counter_ns`."""
    _due[getcurrent()] = due_ns


def take_due(send_ns: int) -> int:
    """Return the intended start of a request that is being sent: once what was set, then `send_ns`."""
    return _due.pop(getcurrent(), send_ns) if _due else send_ns


def clear_due() -> None:
    """Forget what was set, as at the end of an iteration without a request."""
    _due.pop(getcurrent(), None)
