"""Answers about what is still to be made."""

from __future__ import annotations

from django.http import JsonResponse

RETRY_S = 1


def not_yet() -> JsonResponse:
    """Return 202: it was asked for and is on its way; come back."""
    return JsonResponse(
        {"detail": "This is still to be made."}, status=202, headers={"Retry-After": str(RETRY_S)}
    )
