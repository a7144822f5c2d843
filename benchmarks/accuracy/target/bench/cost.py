"""The known extra cost: a middleware that spends it, and measures what it spends.

The cost is a share of what the request costs without it (CPU, or time for
`sleep`), reckoned from what it has cost until then. The share is only meant:
what counts is what the account says. All bookkeeping happens at a share of 0
too, so that two variants differ by the cost alone.
"""

from __future__ import annotations

import ctypes
import itertools
import threading
import time
import zlib
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.signals import request_finished
from django.db.backends.signals import connection_created
from django.http import HttpRequest, HttpResponseBase

from bench.account import Entry, account
from goods.models import Shelf

COUNTED = "/products"
TAIL_EVERY = 20
WHOLE_CPU, WHOLE_TIME = 1.3, 1.2
"""A list's whole cost over what the middleware sees: parsing, sending, the database's CPU come on top."""
_PR_SET_TIMERSLACK = 29
_CPUCLOCK_SCHED = 2
_NS = 1e9

Responder = Callable[[HttpRequest], HttpResponseBase]


class _Now(threading.local):
    """What a thread is at."""

    entry: Entry | None = None
    backend_clock: int = 0
    """Number of the clock of the database's process (see `loadstone.target.cpu`); 0: not known yet."""
    backend_ns: int = 0


class _Owed:
    """Sleep that is still to come."""

    ns = 0.0


_now = _Now()
_owed = _Owed()
_ordinal = itertools.count()


def cost_middleware(get_response: Responder) -> Responder:
    """Serve a request, add the cost, and leave the rest to `request_finished`."""
    if settings.BENCH_KIND == "sleep":
        # Timers may be late by 50 us unless told otherwise: more than the smallest cost. Threads inherit it.
        ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1)

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(COUNTED):
            return get_response(request)
        _now.entry = entry = Entry(begin_ns=time.perf_counter_ns())
        cpu = time.thread_time_ns()
        response = get_response(request)
        entry.cpu_ns = time.thread_time_ns() - cpu
        _add(entry)
        return response

    return middleware


def share_of(ordinal: int, kind: str, size: float) -> float:
    """Return the cost of the process's request number `ordinal` as a share of what it cost so far.

    `tail` puts the whole cost on one request of every twenty, at a place that a hash
    of their number draws. Chosen by what a request asks for, it would meet a few
    pages always and the others never; by a bare counter, it could keep step with
    the scenario; by an independent draw for each, its mean would vary between
    generations by more than is to be seen. Twins see the same requests in the same
    order, so that it falls on the same ones on both sides.
    """
    if kind != "tail":
        return size
    block, place = divmod(ordinal, TAIL_EVERY)
    return size * TAIL_EVERY if zlib.crc32(block.to_bytes(8, "little")) % TAIL_EVERY == place else 0.0


def _add(entry: Entry) -> None:
    """Add the cost that belongs before the answer, and measure it."""
    kind = settings.BENCH_KIND
    share = share_of(next(_ordinal), kind, settings.BENCH_SIZE)
    wall, cpu = time.perf_counter_ns(), time.thread_time_ns()
    if kind in {"spin", "tail"}:
        _spin(cpu + int(share * WHOLE_CPU * entry.cpu_ns))
    elif kind == "sleep":
        _sleep(share * WHOLE_TIME * (wall - entry.begin_ns))
    if settings.BENCH_QUERY == "one":
        Shelf.objects.get(pk=1)
    entry.added_cpu_ns = time.thread_time_ns() - cpu
    entry.added_wall_ns = time.perf_counter_ns() - wall


def _sleep(share_ns: float) -> None:
    """Sleep for `share_ns` on average: a timer that is late is made up for by the next requests."""
    _owed.ns += share_ns
    if _owed.ns > 0.0:
        begin = time.perf_counter_ns()
        time.sleep(_owed.ns / _NS)
        _owed.ns -= time.perf_counter_ns() - begin


def _spin(until_ns: int) -> None:
    """Burn CPU until this thread has used `until_ns`."""
    while time.thread_time_ns() < until_ns:
        pass


def _finish(**_signal: Any) -> None:  # noqa: ANN401 - what Django sends along
    """Add the cost that belongs after the answer, and close the entry; gunicorn has sent the last byte."""
    entry, _now.entry = _now.entry, None
    if entry is None:
        return
    wall, cpu = time.perf_counter_ns(), time.thread_time_ns()
    share = settings.BENCH_SIZE if settings.BENCH_KIND == "after" else 0.0
    _spin(cpu + int(share * WHOLE_CPU * entry.cpu_ns))
    entry.later_cpu_ns = time.thread_time_ns() - cpu
    entry.later_wall_ns = time.perf_counter_ns() - wall
    used = _backend_ns()
    entry.backend_cpu_ns, _now.backend_ns = used - _now.backend_ns, used
    account().add(entry)


def _backend_ns() -> int:
    """Return the CPU nanoseconds of this thread's database process; 0 where they cannot be read."""
    try:
        return time.clock_gettime_ns(_now.backend_clock) if _now.backend_clock else 0
    except OSError:
        return 0


def _connected(connection: Any, **_signal: Any) -> None:  # noqa: ANN401 - Django's wrapper, untyped
    """Remember whose CPU the statements of a new connection use."""
    _now.backend_clock = (~connection.connection.get_backend_pid() << 3) | _CPUCLOCK_SCHED
    _now.backend_ns = _backend_ns()


request_finished.connect(_finish)
connection_created.connect(_connected)
