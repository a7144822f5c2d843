"""What lies around the views (toggles `renderer`, `compression`, `conditional`, `auth`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import orjson
from asgiref.sync import iscoroutinefunction
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.middleware.http import ConditionalGetMiddleware
from django.utils.decorators import sync_and_async_middleware
from rest_framework.renderers import JSONRenderer
from rest_framework.utils.encoders import JSONEncoder

from core import toggles

Answer = Callable[[HttpRequest], HttpResponseBase]
_default = JSONEncoder().default


class ToggledRenderer(JSONRenderer):
    """JSON, written by the standard library as REST framework does, or by orjson."""

    def render(
        self,
        data: Any,  # noqa: ANN401 - as REST framework's
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Return `data` as UTF-8."""
        if data is None or toggles.choice("renderer") == "json":
            return bytes(super().render(data, accepted_media_type, renderer_context))
        return orjson.dumps(data, default=_default)


@sync_and_async_middleware
def compression(get_response: Answer) -> Answer:
    """Return Django's compression of answers, passed by while the toggle says `off`."""
    return _switched("compression", {"off": get_response, "gzip": GZipMiddleware(get_response)})


@sync_and_async_middleware
def conditional(get_response: Answer) -> Answer:
    """Return Django's answers with an ETag, or 304 for the same one, passed by while the toggle says `off`.

    The answer is made all the same: what is saved is its way to the client.
    """
    watched = ConditionalGetMiddleware(get_response)
    return _switched("conditional", {"off": get_response, "on": watched})


@sync_and_async_middleware
def sessions(get_response: Answer) -> Answer:
    """Return Django's sessions and their users, passed by unless the toggle `auth` says `session`."""
    known = SessionMiddleware(AuthenticationMiddleware(get_response))
    return _switched(
        "auth",
        dict.fromkeys(("none", "token", "jwt", "oauth2"), get_response) | {"session": known},
    )


def _switched(toggle: str, ways: Mapping[str, Any]) -> Answer:
    """Return what goes the way that the toggle chooses; below ASGI without a thread to wait in."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        chosen: HttpResponseBase = ways[toggles.choice(toggle)](request)
        return chosen

    async def answer_async(request: HttpRequest) -> HttpResponseBase:
        chosen: HttpResponseBase = await ways[toggles.choice(toggle)](request)
        return chosen

    return cast("Answer", answer_async) if any(map(iscoroutinefunction, ways.values())) else answer
