"""All addresses."""

from django.urls import include, path

from config.watched import watching_urls
from core import health, views

api = [
    path("", include(f"{app}.urls"))
    for app in ("accounts", "catalogue", "customers", "orders", "exports", "delivery", "tracking")
]
"""The same addresses in both versions: see `core.versions`."""

handler404 = "core.problems.not_found"
handler500 = "core.problems.server_error"
urlpatterns = [
    path("health/live", health.live, name="live"),
    path("health/ready", health.ready, name="ready"),
    path("metrics", views.metrics, name="metrics"),
    path("toggles", views.toggle_list, name="toggles"),
    path("", include("storefront.urls")),
    path("api/schema", views.schema, name="schema"),
    path("api/docs", views.docs, name="docs"),
    path("api/v1/", include((api, "v1"))),
    path("api/v2/", include((api, "v2"))),
    path("staff/", include("background.urls")),
    *watching_urls(),
    path("", include("graph.urls")),
]
