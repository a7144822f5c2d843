"""Calls at absolute instants, through a timerfd in gevent's loop.

gevent's own timers count from now and round to a millisecond; a timerfd takes an
instant of CLOCK_MONOTONIC, on which `time.perf_counter_ns` runs on Linux, and is
late by no more than a wake-up. Setting it anew also clears what it had to tell, so
that it never needs to be read.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from typing import Any

import gevent

_CLOCK_MONOTONIC = 1
_NONBLOCK, _CLOEXEC = os.O_NONBLOCK, os.O_CLOEXEC
"""TFD_NONBLOCK and TFD_CLOEXEC are these by definition (timerfd_create(2))."""
_ABSOLUTE = 1
_READ = 1
_NS = 1_000_000_000


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


_libc = ctypes.CDLL(None, use_errno=True)


class Ticker:
    """Calls `callback` in the hub at the instant armed last; it must not block.

    Raises:
        OSError: the kernel gives no timer.
    """

    def __init__(self, callback: Callable[[], None]) -> None:
        self._fd = _libc.timerfd_create(_CLOCK_MONOTONIC, _NONBLOCK | _CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._spec = _Itimerspec()
        self._value = self._spec.value
        self._at = ctypes.byref(self._spec)
        hub: Any = gevent.get_hub()
        self._watcher = hub.loop.io(self._fd, _READ)
        self._watcher.start(callback)

    def arm(self, at_ns: int) -> None:
        """Call back at `at_ns` of `time.perf_counter_ns`, at once if that is over; replaces the last."""
        self._value.seconds, self._value.nanoseconds = divmod(max(at_ns, 1), _NS)
        if _libc.timerfd_settime(self._fd, _ABSOLUTE, self._at, None) < 0:
            raise OSError(ctypes.get_errno(), "timerfd_settime")

    def disarm(self) -> None:
        """Call back no more until armed again."""
        self._value.seconds = self._value.nanoseconds = 0
        _libc.timerfd_settime(self._fd, _ABSOLUTE, self._at, None)

    def close(self) -> None:
        """Give the timer back."""
        self._watcher.stop()
        self._watcher.close()
        os.close(self._fd)
