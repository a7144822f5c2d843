"""A middleware for Django apps: what each request asked of its databases and caches, told in a header.

`pip install loadstone[django]`, and first in the settings' list:

    MIDDLEWARE = ["loadstone.django_accounting.account", *MIDDLEWARE]

A server that Loadstone does not probe (without `LOADSTONE_PROBE` in its environment) drops it as it
starts, so that neither a deployment nor what is timed pays for it. This module imports nothing of
Loadstone but the format of the header.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from functools import wraps
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.utils.decorators import sync_and_async_middleware
from django.utils.module_loading import import_string

from loadstone.server_timing import HEADER, Told, encode

SWITCH = "LOADSTONE_PROBE"
_current: ContextVar[Told | None] = ContextVar("loadstone_told", default=None)
_within: ContextVar[bool] = ContextVar("loadstone_within", default=False)
"""Whether a cache's method was called by another one that is counted already."""
_nothing = object()


@sync_and_async_middleware
def account(get_response: Any) -> Any:  # noqa: ANN401 - one of two kinds, as its caller wants
    """Return answers with a Server-Timing header; raises `MiddlewareNotUsed` where nobody probes."""
    if SWITCH not in os.environ:
        raise MiddlewareNotUsed
    watch()

    def answer(request: Any) -> Any:  # noqa: ANN401 - Django's
        token = _current.set(Told())
        try:
            return _told(get_response(request))
        finally:
            _current.reset(token)

    async def answer_async(request: Any) -> Any:  # noqa: ANN401 - Django's
        token = _current.set(Told())
        try:
            return _told(await get_response(request))
        finally:
            _current.reset(token)

    return answer_async if iscoroutinefunction(get_response) else answer


def watch() -> None:
    """Count the statements of all connections, and the look-ups of all caches."""
    connection_created.connect(_watch_connection, dispatch_uid="loadstone.django_accounting")
    for connection in connections.all(initialized_only=True):
        _watch_connection(connection)
    for kind in {import_string(one["BACKEND"]) for one in settings.CACHES.values()}:
        for name, count in (("get", _count_one), ("get_many", _count_many)):
            if not hasattr(getattr(kind, name), "__wrapped__"):
                setattr(kind, name, _counted(getattr(kind, name), count))


def _told(response: Any) -> Any:  # noqa: ANN401 - Django's
    """Return the response with what is known of the request, behind what the app says itself."""
    told = _current.get()
    if told is not None:
        own = response.headers.get(HEADER)
        response.headers[HEADER] = ", ".join([*([own] if own else []), encode(told)])
    return response


def _watch_connection(connection: BaseDatabaseWrapper, **_: object) -> None:
    if _time_statement not in connection.execute_wrappers:
        connection.execute_wrappers.append(_time_statement)


def _time_statement(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: ANN401 - as Django calls it
    """Run a statement, and note time and rows; a driver that does not know the rows leaves them unknown."""
    told = _current.get()
    if told is None:
        return execute(sql, params, many, context)
    begin = time.perf_counter()
    try:
        return execute(sql, params, many, context)
    finally:
        told.database_ms += (time.perf_counter() - begin) * 1e3
        told.queries += 1
        rows = getattr(context["cursor"], "rowcount", -1)
        told.rows = None if told.rows is None or rows < 0 else told.rows + rows


def _counted(method: Callable[..., Any], count: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def looked_up(self: Any, keys: Any, *words: Any, **named: Any) -> Any:  # noqa: ANN401 - as backends have it
        told = _current.get()
        if told is None or _within.get():
            return method(self, keys, *words, **named)
        token, begin = _within.set(True), time.perf_counter()
        try:
            return count(told, method, self, keys, *words, **named)
        finally:
            _within.reset(token)
            told.cache_ms += (time.perf_counter() - begin) * 1e3

    return looked_up


def _count_one(
    told: Told,
    method: Callable[..., Any],
    cache: Any,  # noqa: ANN401 - any backend
    key: str,
    default: Any = None,  # noqa: ANN401 - any value
    *words: Any,  # noqa: ANN401 - of a backend's own
    **named: Any,  # noqa: ANN401 - as above
) -> Any:  # noqa: ANN401 - any value
    found = method(cache, key, _nothing, *words, **named)
    told.hits += found is not _nothing
    told.misses += found is _nothing
    return default if found is _nothing else found


def _count_many(
    told: Told,
    method: Callable[..., Any],
    cache: Any,  # noqa: ANN401 - any backend
    keys: Iterable[str],
    *words: Any,  # noqa: ANN401 - of a backend's own
    **named: Any,  # noqa: ANN401 - as above
) -> Any:  # noqa: ANN401 - as above
    wanted = list(keys)
    found = method(cache, wanted, *words, **named)
    told.hits += len(found)
    told.misses += len(wanted) - len(found)
    return found
