"""The API's description (toggle `openapi`). Imported at the first request for it, for start-up's sake."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from core import toggles

MOST_KEPT = 16
"""Formats and languages that clients ask for, one description each."""
_build = SpectacularAPIView.as_view()
docs_view = SpectacularSwaggerView.as_view(url_name="schema")


def schema_view(request: HttpRequest) -> HttpResponseBase:
    """Answer the description: made anew, or as it was made for the first who asked this process alike."""
    if toggles.choice("openapi") == "per_request":
        return _build(request)
    asked = tuple(request.headers.get(name, "") for name in ("Accept", "Accept-Language"))
    kept = _Kept(request, (request.META.get("QUERY_STRING", ""), *asked, *settings.TOGGLES.values()))
    body, headers = _prebuilt(kept)
    return HttpResponse(body, headers=headers)


class _Kept:
    """What a description depends on; the request itself is not part of it."""

    def __init__(self, request: HttpRequest, key: tuple[str, ...]) -> None:
        self.request = request
        self.key = key

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Kept) and self.key == other.key


@lru_cache(maxsize=MOST_KEPT)
def _prebuilt(kept: _Kept) -> tuple[bytes, dict[str, str]]:
    answer = _build(kept.request).render()
    return answer.content, dict(answer.headers)
