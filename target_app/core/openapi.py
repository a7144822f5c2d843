"""The API's description (toggle `openapi`). Imported at the first request for it, for start-up's sake."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.authentication import BasicScheme, SessionScheme
from drf_spectacular.contrib.django_oauth_toolkit import DjangoOAuthToolkitScheme
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from core import toggles


class ClientScheme(DjangoOAuthToolkitScheme):  # type: ignore[no-untyped-call]  # registers itself by being made
    """How programs show whose they are, with `auth=oauth2`."""

    target_class = "accounts.clients.ClientAuthentication"


class CookieScheme(SessionScheme):  # type: ignore[no-untyped-call]  # as above
    """How browsers do, with `auth=session`."""

    target_class = "accounts.authentication.CookieAuthentication"


class StaffScheme(BasicScheme):  # type: ignore[no-untyped-call]  # as above
    """How staff do, whatever is chosen."""

    target_class = "accounts.access.StaffAuthentication"


MOST_KEPT = 16
"""Formats and languages that clients ask for, one description each."""
_build = SpectacularAPIView.as_view()
_kept: dict[tuple[str, ...], tuple[bytes, dict[str, str]]] = {}
docs_view = SpectacularSwaggerView.as_view(url_name="schema")


def schema_view(request: HttpRequest) -> HttpResponseBase:
    """Answer the description: made anew, or as this process made it for the first who asked alike."""
    if toggles.choice("openapi") == "per_request":
        return _build(request)
    asked = (request.META.get("QUERY_STRING", ""), *map(request.headers.get, ("Accept", "Accept-Language")))
    key = (*(str(part) for part in asked), *settings.TOGGLES.values())
    if key not in _kept:
        answer: HttpResponse = _build(request).render()
        if answer.status_code != HttpResponse.status_code or len(_kept) >= MOST_KEPT:
            return answer
        _kept[key] = answer.content, dict(answer.headers)
    body, headers = _kept[key]
    return HttpResponse(body, headers=headers)
