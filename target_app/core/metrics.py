"""Metrics for Prometheus (toggle `instrumentation`, choice `prometheus`).

Labels are bounded: known methods, the route's template instead of the path, the
status' class. With several workers their counts are added up from files in
`PROMETHEUS_MULTIPROC_DIR`, which must be set before this module is imported.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any, Self, cast

from asgiref.sync import iscoroutinefunction
from django.core.signals import request_finished
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from core import tally
from core.ledger import Account, Kind, Ledger, Page

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
PER_DECADE, DECADES = 4, 4
BUCKETS = tuple(float(f"{0.001 * 10 ** (step / PER_DECADE):.3g}") for step in range(PER_DECADE * DECADES + 1))
"""Seconds, from 1 ms to 10 s: a quantile is off by less than a factor of 1.78, wherever it lies."""
OWN_PATH = "/metrics"
TOO_MANY = 429

_WHERE = ("method", "route")
REQUESTS = Counter("shop_http_requests", "Requests answered, by class of status.", (*_WHERE, "status"))
DURATIONS = Histogram("shop_http_request_duration_seconds", "Time to answer.", _WHERE, buckets=BUCKETS)
IN_FLIGHT = Gauge("shop_http_requests_in_flight", "Requests being answered.", multiprocess_mode="livesum")
QUERIES = Counter("shop_sql_queries", "SQL statements run within requests.", _WHERE)
QUERY_SECONDS = Counter("shop_sql_seconds", "Time that requests waited for their statements.", _WHERE)
LOOK_UPS = Counter("shop_cache_operations", "Look-ups of what may be cached: hit or miss.", ("result",))
HITS, MISSES = LOOK_UPS.labels("hit"), LOOK_UPS.labels("miss")
THROTTLED = Counter("shop_throttled_requests", "Requests answered 429.")
CONNECTIONS = Gauge(
    "shop_db_connections", "Connections to the database that are open.", multiprocess_mode="livesum"
)
THREADS = Gauge("shop_threads", "Requests that can be answered at once.", multiprocess_mode="livesum")
STARTS = Counter("shop_worker_starts", "Worker processes that were started, replacements included.")
METRICS = (
    REQUESTS,
    DURATIONS,
    IN_FLIGHT,
    QUERIES,
    QUERY_SECONDS,
    LOOK_UPS,
    THROTTLED,
    CONNECTIONS,
    THREADS,
    STARTS,
)


_open = threading.local()


@sync_and_async_middleware
def counted(get_response: Any) -> Any:  # noqa: ANN401 - one of two kinds, as its caller wants
    """Return answers to requests that are counted, with how long they took and what they used.

    The scrape itself is none.
    """

    def answer(request: HttpRequest) -> HttpResponseBase:
        if request.path_info == OWN_PATH:
            return cast("HttpResponseBase", get_response(request))
        with _Counting(request) as counting:
            response: HttpResponseBase = get_response(request)
            counting.status = response.status_code
            return response

    async def answer_async(request: HttpRequest) -> HttpResponseBase:
        if request.path_info == OWN_PATH:
            return cast("HttpResponseBase", await get_response(request))
        with _Counting(request) as counting:
            response: HttpResponseBase = await get_response(request)
            counting.status = response.status_code
            return response

    return answer_async if iscoroutinefunction(get_response) else answer


class _Counting:
    """A request while it is being answered; without a status it is not counted at its end."""

    __slots__ = ("request", "started", "status", "token", "used")

    def __init__(self, request: HttpRequest) -> None:
        self.request, self.used, self.status = request, tally.Tally(), 0

    def __enter__(self) -> Self:
        self.token = tally.current.set(self.used)
        LEDGER.begin()
        self.started = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        seconds = time.perf_counter() - self.started
        tally.current.reset(self.token)
        if self.status == TOO_MANY:
            THROTTLED.inc()
        LEDGER.end(_kind(self.request, self.status) if self.status else None, seconds, self.used)


def _kind(request: HttpRequest, status: int) -> Kind:
    match = request.resolver_match
    method = request.method if request.method in METHODS else "other"  # clients may write any
    return method or "other", match.route if match else "unmatched", status // 100


def _write(page: Page, in_flight: int, connected: int) -> None:
    """Write what was counted into the metrics."""
    for kind, account in page.accounts.items():
        _write_account(kind, account)
    HITS.inc(page.hits)
    MISSES.inc(page.misses)
    IN_FLIGHT.set(in_flight)
    CONNECTIONS.set(connected)


def _write_account(kind: Kind, account: Account) -> None:
    *where, status = kind
    REQUESTS.labels(*where, "5xx")  # no errors yet is 0, and not unknown
    REQUESTS.labels(*where, f"{status}xx").inc(account.answered)
    QUERIES.labels(*where).inc(account.queries)
    QUERY_SECONDS.labels(*where).inc(account.query_seconds)
    durations = DURATIONS.labels(*where)
    # several at once: `observe` takes one only, and what it does is add to these
    durations._sum.inc(account.seconds)
    for bucket, count in zip(durations._buckets, account.buckets, strict=True):
        if count:
            bucket.inc(count)


LEDGER = Ledger(BUCKETS, _write)


def worker_started(threads: int) -> None:
    """Count a worker process that begins to serve with so many threads."""
    THREADS.set(threads)
    STARTS.inc()


def _time(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: ANN401 - as Django calls it
    """Run a statement and note how long it took."""
    started = time.perf_counter()
    try:
        return execute(sql, params, many, context)
    finally:
        tally.queried(time.perf_counter() - started)


def watch(connection: BaseDatabaseWrapper, **_: object) -> None:
    """Count a connection that was made, and have its statements timed; a receiver of `connection_created`."""
    if _time not in connection.execute_wrappers:
        connection.execute_wrappers.append(_time)
    if connection.alias not in _counted():
        _counted().add(connection.alias)
        LEDGER.connected(1)


def notice_closed(**_: object) -> None:
    """Count down the connections that the end of a request closed; a receiver of `request_finished`."""
    for alias in [alias for alias in _counted() if connections[alias].connection is None]:
        _counted().discard(alias)
        LEDGER.connected(-1)


def _counted() -> set[str]:
    """Return the aliases of this thread's connections that the gauge counts."""
    if not hasattr(_open, "aliases"):
        _open.aliases = set()
    aliases: set[str] = _open.aliases
    return aliases


def exposition() -> tuple[bytes, str]:
    """Return all metrics in Prometheus' text format, and its content type.

    Of this process they are up to date; of other workers they are as old as a second.
    """
    LEDGER.write()
    registry = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    return generate_latest(registry), CONTENT_TYPE_LATEST


connection_created.connect(watch, dispatch_uid="shop metrics")
request_finished.connect(notice_closed, dispatch_uid="shop metrics")  # after Django's own, which closes
