"""Logs whose lines say which request they belong to.

A client's `X-Request-ID` is taken over and answered; without one, an id is made for
the first line that is logged, if any is.
"""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

HEADER = "X-Request-ID"
_GOOD = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_NONE = "-"

Answer = Callable[[HttpRequest], HttpResponseBase]
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


def identified(get_response: Answer) -> Answer:
    """Return answers to requests that have an id; each is logged as one line where `SHOP_ACCESS_LOG=true`."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get(HEADER)
        taken = given if given and _GOOD.fullmatch(given) else None
        token = _id.set(taken)
        started = time.perf_counter()
        try:
            response = get_response(request)
            if taken:
                response.headers[HEADER] = taken
            if settings.SHOP_ACCESS_LOG:
                _log(request, response.status_code, time.perf_counter() - started)
            return response
        finally:
            _id.reset(token)

    return answer


def _log(request: HttpRequest, status: int, seconds: float) -> None:
    route = request.resolver_match.route if request.resolver_match else "unmatched"
    told = {
        "method": request.method,
        "route": route,
        "status": status,
        "duration_ms": round(seconds * 1000, 3),
    }
    requests.info("%s %s %s", request.method, route, status, extra=told)
