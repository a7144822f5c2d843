"""How errors are told: as problem details (RFC 9457) by version 2, as REST framework does by version 1."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from rest_framework.response import Response
from rest_framework.views import exception_handler

from core.parsing import TooLarge
from core.versions import NEW, OLD, is_old

MEDIA_TYPE = "application/problem+json"
NOT_VALID = "The request is not valid."


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the answer to an error of a view, or None for what is no client's affair.

    REST framework's `EXCEPTION_HANDLER`.
    """
    if isinstance(error, RequestDataTooBig):
        error = TooLarge()
    answer = exception_handler(error, context)
    if answer is None or is_old(context["request"]):
        return answer
    answer.data = problem(answer.status_code, answer.data)
    answer.content_type = MEDIA_TYPE
    return answer


def problem(status: int, said: Any = None) -> dict[str, Any]:  # noqa: ANN401 - as REST framework has it
    """Return problem details of a status and of what REST framework says: one text, or texts by field."""
    told: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    if said is None:
        return told
    if isinstance(said, dict) and set(said) == {"detail"}:
        return told | {"detail": said["detail"]}
    errors = said if isinstance(said, dict) else {"non_field_errors": said}
    return told | {"detail": NOT_VALID, "errors": errors}


def tell(
    request: HttpRequest, status: int, said: dict[str, Any], headers: dict[str, str] | None = None
) -> JsonResponse:
    """Return the answer of a plain view to an error, as the version asked for tells it."""
    if is_old(request):
        return JsonResponse(said, status=status, headers=headers)
    return JsonResponse(problem(status, said), status=status, headers=headers, content_type=MEDIA_TYPE)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404 where no address fits, or a page has nothing to show."""
    return _tell(request, HTTPStatus.NOT_FOUND, "No such address.") or defaults.page_not_found(
        request, exception
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500 without a word about the cause."""
    return _tell(request, HTTPStatus.INTERNAL_SERVER_ERROR, "It is not your fault.") or defaults.server_error(
        request
    )


def _tell(request: HttpRequest, status: int, detail: str) -> HttpResponse | None:
    ours = request.path_info.startswith((OLD, NEW))
    return tell(request, status, {"detail": detail}) if ours else None
