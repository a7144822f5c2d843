"""Health: is the process alive, and can it serve?"""

from __future__ import annotations

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe
from redis import RedisError


@require_safe
def live(_request: HttpRequest) -> JsonResponse:
    """Answer that the process runs."""
    return JsonResponse({"status": "ok"})


@require_safe
def ready(_request: HttpRequest) -> JsonResponse:
    """Answer 200 when the database and Redis answer, 503 with what is wrong otherwise."""
    database = "postgres" if connection.vendor == "postgresql" else connection.vendor
    checks = {database: _database(), "redis": _redis()}
    healthy = all(state == "ok" for state in checks.values())
    return JsonResponse(
        {"status": "ok" if healthy else "unavailable", "checks": checks}, status=200 if healthy else 503
    )


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        connection.close()  # a broken connection is not kept for the next request
        return type(error).__name__
    return "ok"


def _redis() -> str:
    try:
        cache.get("ready")
    except (RedisError, OSError) as error:
        return type(error).__name__
    return "ok"
