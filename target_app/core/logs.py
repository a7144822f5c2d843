"""Logs whose lines say which request they belong to.

A client's `X-Request-ID` is taken over and answered; without one, an id is made for
the first line that is logged, if any is.
"""

from __future__ import annotations

import logging
import re
import time
import uuid
from contextvars import ContextVar
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

HEADER = "X-Request-ID"
_GOOD = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_NONE = "-"

requests = logging.getLogger("shop.requests")
_id: ContextVar[str | None] = ContextVar("request id", default=_NONE)
"""None: of a request that has none yet."""


def request_id() -> str:
    """Return the id of the request that is being answered, `-` outside of one."""
    known = _id.get()
    if known is None:
        known = uuid.uuid4().hex
        _id.set(known)
    return known


class RequestIds(logging.Filter):
    """Adds `request_id` to each record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let the record pass, with its request's id."""
        record.request_id = request_id()
        return True


@sync_and_async_middleware
def identified(get_response: Any) -> Any:  # noqa: ANN401 - one of two kinds, as its caller wants
    """Return answers to requests that have an id; each is logged as one line where `SHOP_ACCESS_LOG=true`."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        token, started = _id.set(_given(request)), time.perf_counter()
        try:
            return _noted(request, get_response(request), started)
        finally:
            _id.reset(token)

    async def answer_async(request: HttpRequest) -> HttpResponseBase:
        token, started = _id.set(_given(request)), time.perf_counter()
        try:
            return _noted(request, await get_response(request), started)
        finally:
            _id.reset(token)

    return answer_async if iscoroutinefunction(get_response) else answer


def _given(request: HttpRequest) -> str | None:
    """Return the id that a client gave its request, if it is one that may be written into a log."""
    given = request.headers.get(HEADER)
    return given if given and _GOOD.fullmatch(given) else None


def _noted(request: HttpRequest, response: HttpResponseBase, started: float) -> HttpResponseBase:
    given = _given(request)
    if given:
        response.headers[HEADER] = given
    if settings.SHOP_ACCESS_LOG:
        _log(request, response.status_code, time.perf_counter() - started)
    return response


def _log(request: HttpRequest, status: int, seconds: float) -> None:
    route = request.resolver_match.route if request.resolver_match else "unmatched"
    told = {
        "method": request.method,
        "route": route,
        "status": status,
        "duration_ms": round(seconds * 1000, 3),
    }
    requests.info("%s %s %s", request.method, route, status, extra=told)
