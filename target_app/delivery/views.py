"""The endpoint that waits for the carrier, as two views: which one serves follows from the toggle `server`.

Plain Django: REST framework's views are sync only, and would need a thread each to wait in.
"""

from __future__ import annotations

import re

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from core.problems import tell
from delivery.upstream import CarrierError, Quote, ask, ask_async

COUNTRY = re.compile(r"[A-Z]{2}")


@require_safe
def quote(request: HttpRequest) -> JsonResponse:
    """Answer what a delivery to `?country=NO` costs; the thread waits for the carrier."""
    country = _country(request)
    if country is None:
        return _wrong(request)
    try:
        return _told(ask(country))
    except CarrierError as error:
        return _silent(request, error)


@require_safe
async def quote_async(request: HttpRequest) -> JsonResponse:
    """Answer the same; while the carrier thinks, the event loop serves others."""
    country = _country(request)
    if country is None:
        return _wrong(request)
    try:
        return _told(await ask_async(country))
    except CarrierError as error:
        return _silent(request, error)


def _country(request: HttpRequest) -> str | None:
    country = request.GET.get("country", "")
    return country if COUNTRY.fullmatch(country) else None


def _told(found: Quote) -> JsonResponse:
    return JsonResponse(found)


def _wrong(request: HttpRequest) -> JsonResponse:
    return tell(request, 400, {"country": ["Write two capital letters, such as NO."]})


def _silent(request: HttpRequest, error: CarrierError) -> JsonResponse:
    detail = f"The carrier gives no quote ({error}); try again."
    return tell(request, 503, {"detail": detail}, {"Retry-After": "1"})
