"""Addresses of what people look into the shop with, where the settings have it installed."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path, re_path

LOOPBACK = frozenset({"127.0.0.1", "::1"})


def watching_urls() -> list[URLPattern | URLResolver]:
    """Return the addresses of Silk and of the toolbar; with `config.diagnose` alone they answer."""
    found: list[URLPattern | URLResolver] = []
    if "silk" in settings.INSTALLED_APPS:
        found.append(path("silk/", include("silk.urls", namespace="silk")))
    if "debug_toolbar" in settings.INSTALLED_APPS:
        found.append(path("__debug__/", include("debug_toolbar.urls")))
    if found:
        from django.contrib.staticfiles.views import serve  # noqa: PLC0415 - its app is there now

        found.append(path("static/<path:path>", serve, {"insecure": True}))
    if found and not settings.SHOP_DIAGNOSE:  # both look their own addresses up, whoever may see them
        found.insert(0, re_path("^(?:silk|__debug__|static)/", no_such_page))
    return found


def no_such_page(_request: HttpRequest) -> HttpResponse:
    """Answer that there is no such page."""
    raise Http404


def asked_from_this_host(request: HttpRequest) -> bool:
    """Tell whether a request may see the toolbar."""
    return request.META.get("REMOTE_ADDR") in LOOPBACK
