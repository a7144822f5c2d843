"""What is counted for Prometheus, and where it is shown."""

import runpy
from itertools import pairwise
from pathlib import Path

import pytest
from core.toggles import DECLARATION
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from factories import ProductFactory
from prometheus_client import REGISTRY

SHOP = DECLARATION.parent


@pytest.fixture
def counted(settings, choose, db):  # noqa: ARG001 - the connection must be there
    """Have requests counted, and give a function that returns what a sample has gained since."""
    from core import metrics

    choose(instrumentation="prometheus")
    settings.MIDDLEWARE = ["core.metrics.counted", *settings.MIDDLEWARE]
    metrics.watch(connection)
    start = {}

    def gained(name, **labels):
        metrics.LEDGER.write()
        key = (name, *labels.items())
        value = REGISTRY.get_sample_value(name, labels) or 0.0
        return value - start.setdefault(key, 0.0)

    def remember_start():
        metrics.LEDGER.write()
        for family in REGISTRY.collect():
            for sample in family.samples:
                start[(sample.name, *sample.labels.items())] = sample.value

    remember_start()
    yield gained
    connection.execute_wrappers.remove(metrics._time)


def test_buckets_are_geometric_from_a_millisecond_to_ten_seconds():
    from core.metrics import BUCKETS

    assert (BUCKETS[0], BUCKETS[-1], len(BUCKETS)) == (0.001, 10.0, 17)
    ratios = [after / before for before, after in pairwise(BUCKETS)]
    assert ratios == pytest.approx([10**0.25] * 16, rel=0.01)


def test_requests_are_counted_by_template_method_and_class(api, counted):
    product = ProductFactory()
    api.get(f"/api/v1/products/{product.pk}")
    api.get("/api/v1/products/0")
    api.generic("BREW", "/api/v1/products/1")
    page = {"route": "api/v1/products/<int:pk>"}
    for method, status in (("GET", "2xx"), ("GET", "4xx"), ("other", "4xx")):
        assert counted("shop_http_requests_total", **_labels(page, method), status=status) == 1
    assert counted("shop_http_request_duration_seconds_count", **_labels(page, "GET")) == 2
    assert counted("shop_sql_queries_total", **_labels(page, "GET")) == 5
    assert counted("shop_http_requests_in_flight") == 0


def _labels(page, method):
    return {"method": method, **page}


def test_the_scrape_is_no_request(api, counted):
    answer = api.get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    assert b"shop_http_request_duration_seconds_bucket" in answer.content
    assert counted("shop_http_requests_total", method="GET", route="metrics", status="2xx") == 0


def test_metrics_are_off_unless_chosen(api):
    assert api.get("/metrics").status_code == 404


@pytest.mark.parametrize("cache", ["view", "aside"])
def test_hits_and_misses(api, choose, counted, cache):
    choose(cache=cache)
    path = f"/api/v1/products/{ProductFactory().pk}"
    for _ in range(3):
        api.get(path)
    found = {result: counted("shop_cache_operations_total", result=result) for result in ("hit", "miss")}
    assert found == {"hit": 2, "miss": 1}


def test_what_is_refused_as_too_much_is_counted(api, choose, counted, settings):
    settings.SHOP_THROTTLE_RATE = "2/hour"
    choose(throttle="redis")
    assert [api.get("/api/v1/categories").status_code for _ in range(4)] == [200, 200, 429, 429]
    assert counted("shop_throttled_requests_total") == 2


@pytest.mark.django_db(transaction=True)
def test_connections_are_counted_while_they_are_open(api, counted):
    from core import metrics

    connection.close()
    metrics.notice_closed()
    before = counted("shop_db_connections")
    api.get("/api/v1/categories")
    assert counted("shop_db_connections") == before + 1
    connection.close()
    metrics.notice_closed()
    assert counted("shop_db_connections") == before


def test_every_metric_is_in_the_docs():
    from core.metrics import METRICS

    page = (SHOP.parent / "docs" / "metrics.md").read_text()
    for family in (found for metric in METRICS for found in metric.describe()):
        suffix = "_total" if family.type == "counter" else ""
        assert f"| `{family.name}{suffix}`" in page


def test_counts_of_a_server_that_was_killed_are_wiped_at_the_start(monkeypatch, tmp_path):
    stale = tmp_path / "counter_1.db"
    stale.write_bytes(b"")
    monkeypatch.setenv("SHOP_INSTRUMENTATION", "prometheus")
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    monkeypatch.setenv("SHOP_METRICS_FOLDER_IS", "")
    runpy.run_path(str(SHOP / "gunicorn.conf.py"))
    assert not stale.exists()
    running = tmp_path / "counter_2.db"
    running.write_bytes(b"")
    runpy.run_path(str(SHOP / "gunicorn.conf.py"))  # as when a running server is told to reload
    assert running.exists()


@pytest.mark.parametrize("path", ["/silk/", "/silk/requests/", "/__debug__/history_refresh/", "/static/x"])
def test_what_shows_requests_is_unreachable_unless_chosen(client, path):
    assert client.get(path).status_code == 404


def test_what_shows_requests_is_refused_in_production(monkeypatch):
    import config.settings

    monkeypatch.setattr(config.settings, "SHOP_ENV", "production")
    with pytest.raises(ImproperlyConfigured, match="shows requests to every client"):
        runpy.run_path(str(Path(SHOP) / "config" / "diagnose.py"))


def test_people_look_with_both_at_once():
    found = runpy.run_path(str(Path(SHOP) / "config" / "diagnose.py"))
    assert {"silk", "debug_toolbar", "django.contrib.staticfiles"} <= set(found["INSTALLED_APPS"])
    assert len(set(found["MIDDLEWARE"])) == len(found["MIDDLEWARE"])
    order = [found["MIDDLEWARE"].index(name) for name in _AROUND]
    assert order == sorted(order)


_AROUND = (
    "core.answering.compression",
    "silk.middleware.SilkyMiddleware",
    "debug_toolbar.middleware.DebugToolbarMiddleware",
    "core.answering.conditional",
)
