"""Metrics for Prometheus, where `SHOP_INSTRUMENTATION=prometheus`.

Labels are bounded: the route's template instead of the path, known methods only.
With several workers their counts are added up from files in
`PROMETHEUS_MULTIPROC_DIR`, which must be set before this module is imported.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

REQUESTS = Counter("shop_http_requests", "Requests answered.", ("method", "route", "status"))
DURATIONS = Histogram("shop_http_request_seconds", "Time to answer.", ("method", "route"), buckets=BUCKETS)


class MetricsMiddleware:
    """Counts requests and how long they took."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, and count the answer."""
        started = time.perf_counter()
        response = self._get_response(request)
        method = request.method if request.method in METHODS else "other"
        route = request.resolver_match.route if request.resolver_match else "unmatched"
        REQUESTS.labels(method, route, str(response.status_code)).inc()
        DURATIONS.labels(method, route).observe(time.perf_counter() - started)
        return response


def exposition() -> tuple[bytes, str]:
    """Return all metrics in Prometheus' text format, and its content type."""
    registry = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    return generate_latest(registry), CONTENT_TYPE_LATEST
