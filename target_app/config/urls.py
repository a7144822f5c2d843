"""All addresses."""

from django.urls import include, path

from core import health

urlpatterns = [
    path("health/live", health.live, name="live"),
    path("health/ready", health.ready, name="ready"),
    path("api/v1/", include("catalogue.urls")),
]
