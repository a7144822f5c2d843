"""All addresses."""

from django.urls import include, path

from config.watched import watching_urls
from core import health, views

urlpatterns = [
    path("health/live", health.live, name="live"),
    path("health/ready", health.ready, name="ready"),
    path("metrics", views.metrics, name="metrics"),
    path("toggles", views.toggle_list, name="toggles"),
    path("", include("storefront.urls")),
    path("api/schema", views.schema, name="schema"),
    path("api/docs", views.docs, name="docs"),
    path("api/v1/", include("accounts.urls")),
    path("api/v1/", include("catalogue.urls")),
    path("api/v1/", include("customers.urls")),
    path("api/v1/", include("orders.urls")),
    path("api/v1/", include("exports.urls")),
    path("staff/", include("background.urls")),
    *watching_urls(),
    path("api/v1/", include("delivery.urls")),
    path("api/v1/", include("tracking.urls")),
    path("", include("graph.urls")),
]
