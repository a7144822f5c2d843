"""Versions of the API: v2, and v1, which is deprecated (RFC 9745) and will be gone (RFC 8594).

They differ in how errors are told: see `core.problems`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware
from django.utils.http import http_date

OLD, NEW = "/api/v1/", "/api/v2/"
DEPRECATED_AT = datetime(2026, 11, 24, tzinfo=UTC)
SUNSET_AT = datetime(2027, 11, 24, tzinfo=UTC)
_DEPRECATION = f"@{int(DEPRECATED_AT.timestamp())}"
_SUNSET = http_date(SUNSET_AT.timestamp())


def is_old(request: HttpRequest) -> bool:
    """Tell whether a request is for the deprecated version."""
    return request.path_info.startswith(OLD)


@sync_and_async_middleware
def announce(get_response: Any) -> Any:  # noqa: ANN401 - one of two kinds, as its caller wants
    """Return answers that tell clients of the old version when it ends, and where its successor is."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        return _told(request, get_response(request))

    async def answer_async(request: HttpRequest) -> HttpResponseBase:
        return _told(request, await get_response(request))

    return answer_async if iscoroutinefunction(get_response) else answer


def _told(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    if is_old(request):
        response.headers["Deprecation"] = _DEPRECATION
        response.headers["Sunset"] = _SUNSET
        successor = quote(NEW + request.path_info.removeprefix(OLD))
        told = response.headers.get("Link")  # a view may have links of its own
        link = f'<{successor}>; rel="successor-version"'
        response.headers["Link"] = f"{told}, {link}" if told else link
    return response


def describe(result: dict[str, Any], **_: object) -> dict[str, Any]:
    """Mark the old version in the API's description, and describe how the new one tells errors.

    A hook of drf-spectacular.
    """
    for path, operations in result["paths"].items():
        for operation in operations.values():
            if path.startswith(OLD):
                operation["deprecated"] = True
            elif path.startswith(NEW):
                operation["responses"]["default"] = {"$ref": "#/components/responses/Problem"}
    components = result["components"]
    components.setdefault("schemas", {})["Problem"] = _PROBLEM
    components["responses"] = {
        "Problem": {
            "description": "What is wrong (RFC 9457).",
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    }
    return result


_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {"type": "object", "additionalProperties": True},
    },
}
