"""What the shop tells about itself: toggles, metrics, the API's description."""

from __future__ import annotations

from dataclasses import asdict

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.views.decorators.http import require_safe

from core import toggles


@require_safe
def toggle_list(_request: HttpRequest) -> JsonResponse:
    """Answer every toggle, as declared, with its active choice."""
    return JsonResponse(
        {
            name: asdict(toggle) | {"active": toggles.choice(name)}
            for name, toggle in toggles.declared().items()
        }
    )


@require_safe
def metrics(_request: HttpRequest) -> HttpResponse:
    """Answer the metrics, or 404 while they are off."""
    if toggles.choice("instrumentation") != "prometheus":
        return JsonResponse({"detail": "Metrics are off; set SHOP_INSTRUMENTATION=prometheus."}, status=404)
    from core.metrics import exposition  # noqa: PLC0415 - registers the metrics, which stay away while they are off

    body, content_type = exposition()
    if toggles.choice("tasks") == "celery":
        from background.metrics import exposition as tasks  # noqa: PLC0415 - as above

        body += tasks()
    return HttpResponse(body, content_type=content_type)


@require_safe
def schema(request: HttpRequest) -> HttpResponseBase:
    """Answer the API's description in OpenAPI."""
    from core.openapi import schema_view  # noqa: PLC0415 - slow to import, and seldom asked for

    return schema_view(request)


@require_safe
def docs(request: HttpRequest) -> HttpResponseBase:
    """Answer a page that shows the API's description."""
    from core.openapi import docs_view  # noqa: PLC0415 - as above

    return docs_view(request)
