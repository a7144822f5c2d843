"""The address of delivery quotes, below `/api/v1/`."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.urls import path

from delivery import views

VIEWS: dict[str, Callable[..., Any]] = {
    "sync": views.quote,
    "gthread": views.quote,
    "asgi": views.quote_async,
}
urlpatterns = [path("delivery", VIEWS[settings.TOGGLES["server"]], name="delivery")]
