"""What a request belongs to, where the client that sends it is not told: due time, variant, untimed work.

The scheduler says it of the greenlet in which a user works; our client, and the
listener that records what other clients report, ask. All instants are on the clock
of `time.perf_counter_ns`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from greenlet import getcurrent, greenlet

DUE: dict[greenlet, int] = {}
"""Look here whether anything is due at all, before asking `take_due`."""
UNTIMED: dict[greenlet, int] = {}
"""Greenlets that do what is not measured, with how often they said so."""
_variant: dict[greenlet, int] = {}


def set_due(due_ns: int) -> None:
    """Note when the calling greenlet's next request was due."""
    DUE[getcurrent()] = due_ns


def take_due(send_ns: int) -> int:
    """Return the intended start of a request that is being sent: once what was set, then `send_ns`."""
    return DUE.pop(getcurrent(), send_ns) if DUE else send_ns


def clear_due() -> None:
    """Forget what was set, as at the end of an iteration without a request."""
    DUE.pop(getcurrent(), None)


def set_variant(variant: int) -> None:
    """Note which variant the calling greenlet's user talks to; until `forget`, and 0 before."""
    _variant[getcurrent()] = variant


def variant() -> int:
    """Return the variant that the calling greenlet's user talks to."""
    return _variant.get(getcurrent(), 0)


def forget() -> None:
    """Forget everything about the calling greenlet, which is about to end."""
    for known in (DUE, UNTIMED, _variant):
        known.pop(getcurrent(), None)


@contextmanager
def untimed() -> Iterator[None]:
    """Record nothing of what the calling greenlet sends, as in `on_start`."""
    me = getcurrent()
    UNTIMED[me] = UNTIMED.get(me, 0) + 1
    try:
        yield
    finally:
        UNTIMED[me] -= 1
        if not UNTIMED[me]:
            del UNTIMED[me]
