"""The shop's hot parts by themselves, a group for each toggle: `pytest benchmarks/micro --benchmark-only`.

`loadstone micro BASE HEAD` runs them for two commits, interleaved. Nothing here needs a database: rows are
made in memory, queries are compiled and not sent.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from catalogue.models import Brand, Category, Product, Tag
from catalogue.plain import PlainProduct
from catalogue.selectors import listed_products
from catalogue.serializers import ProductSerializer
from core import caching, metrics
from core.answering import ToggledRenderer
from core.keyset import Place, seek
from core.ledger import Ledger
from core.tally import Tally
from core.throttling import CacheThrottle
from django.conf import settings
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.http import HttpResponse
from django.test import override_settings
from django.utils.cache import _generate_cache_header_key, set_response_etag
from django.utils.text import compress_string
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.values import MultiProcessValue
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView
from rest_framework_simplejwt.authentication import JWTStatelessUserAuthentication
from rest_framework_simplejwt.tokens import AccessToken

Benchmark = Callable[..., Any]
COUNT = 20


def choosing(**choices: str) -> Any:  # noqa: ANN401 - Django's context
    """Return the settings with these choices of toggles."""
    return override_settings(TOGGLES={**settings.TOGGLES, **choices})


def memory(name: str) -> BaseCache:
    """Return an empty cache in this process."""
    cache = LocMemCache(name, {})
    cache.clear()
    return cache


def products() -> list[Product]:
    """Return a page of products as they come from the database, with everything that is shown of them."""
    brand, category = Brand(id=1, name="Acme", slug="acme"), Category(id=2, name="Boots", slug="boots")
    tags = [Tag(id=number, name=f"tag {number}") for number in range(3)]
    found = []
    for number in range(COUNT):
        one = Product(
            id=number,
            brand=brand,
            category=category,
            name=f"Product {number}",
            slug=f"product-{number}",
            price=Decimal("19.90"),
            stock=number,
            stored_rating=Decimal("4.25"),
            stored_review_count=12,
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        one._prefetched_objects_cache = {"tags": tags}  # type: ignore[attr-defined]  # noqa: SLF001 - as prefetch_related does
        found.append(one)
    return found


@pytest.mark.benchmark(group="serializer")
@pytest.mark.parametrize("serializer", [ProductSerializer, PlainProduct], ids=["model", "plain"])
def test_a_page_of_products_is_serialized(benchmark: Benchmark, serializer: Any) -> None:  # noqa: ANN401
    page = products()
    with choosing(rating="stored"):
        assert len(benchmark(lambda: serializer(page, many=True).data)) == COUNT


@pytest.mark.benchmark(group="renderer")
@pytest.mark.parametrize("choice", ["json", "orjson"])
def test_a_page_is_written_as_json(benchmark: Benchmark, choice: str) -> None:
    with choosing(rating="stored", renderer=choice):
        data = ProductSerializer(products(), many=True).data
        assert b"product-7" in benchmark(ToggledRenderer().render, data)


@pytest.mark.benchmark(group="orm")
@pytest.mark.parametrize("choice", ["naive", "select_related", "prefetch"])
def test_the_list_is_compiled_to_sql(benchmark: Benchmark, choice: str) -> None:
    with choosing(orm=choice, rating="stored"):
        sql = benchmark(lambda: str(listed_products().order_by("-id")[:COUNT].query))
    assert "FROM" in sql


@pytest.mark.benchmark(group="pagination")
def test_a_cursor_is_written_and_read(benchmark: Benchmark) -> None:
    place = Place(("19.90", "4711"), backwards=False)
    assert benchmark(lambda: Place.decode(place.encode(), 2)) == place


@pytest.mark.benchmark(group="pagination")
def test_a_page_beyond_a_cursor_is_compiled_to_sql(benchmark: Benchmark) -> None:
    with choosing(orm="prefetch", rating="stored"):
        start = listed_products().order_by("price", "id")
        place = Place(("19.90", "4711"))
        assert "ROW" in benchmark(lambda: str(seek(start, ["price", "id"], place).query))


@pytest.mark.benchmark(group="throttle")
def test_a_client_is_told_apart(benchmark: Benchmark) -> None:
    request = Request(APIRequestFactory().get("/products", HTTP_X_FORWARDED_FOR="10.0.0.7, 10.0.0.1"))
    throttle = CacheThrottle()
    assert benchmark(throttle.get_cache_key, request, APIView()).startswith("throttle:")


@pytest.mark.benchmark(group="throttle")
def test_a_clients_history_is_kept(benchmark: Benchmark) -> None:
    throttle = CacheThrottle()
    throttle.cache = memory("throttle")
    throttle.num_requests, throttle.duration = (
        10**9,
        1,
    )  # it never ends, and what is older than 1 s is dropped
    request = Request(APIRequestFactory().get("/products", REMOTE_ADDR="10.0.0.7"))
    kept = [0.0] * COUNT

    def ask() -> bool:
        throttle.cache.set("throttle:10.0.0.7", kept)
        return throttle.allow_request(request, APIView())

    assert benchmark(ask)


@pytest.mark.benchmark(group="cache")
def test_the_key_of_an_address_is_made(benchmark: Benchmark) -> None:
    request = APIRequestFactory().get("/products?brand=acme&page=3", HTTP_HOST="127.0.0.1")
    assert "views.decorators.cache" in benchmark(_generate_cache_header_key, "shop", request)


@pytest.mark.benchmark(group="invalidation")
@pytest.mark.parametrize("choice", ["ttl", "versioned"])
def test_what_is_kept_is_found(benchmark: Benchmark, choice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caching, "cache", memory("kept"))
    with choosing(cache="aside", invalidation=choice):
        caching.remember("product:7", lambda: {"id": 7})
        assert benchmark(caching.remember, "product:7", dict) == {"id": 7}


@pytest.mark.benchmark(group="compression")
def test_a_page_is_compressed(benchmark: Benchmark) -> None:
    with choosing(rating="stored"):
        page = ToggledRenderer().render(ProductSerializer(products(), many=True).data)
    assert len(benchmark(compress_string, page)) < len(page)


@pytest.mark.benchmark(group="conditional")
def test_an_answer_is_hashed(benchmark: Benchmark) -> None:
    with choosing(rating="stored"):
        page = ToggledRenderer().render(ProductSerializer(products(), many=True).data)
    answer = HttpResponse(page)

    def tag() -> HttpResponse:
        del answer.headers["ETag"]
        return set_response_etag(answer)

    assert benchmark(tag).headers["ETag"]


@pytest.mark.benchmark(group="auth")
def test_a_signed_token_is_checked(benchmark: Benchmark) -> None:
    token = AccessToken()
    token["user_id"] = "7"
    raw, check = str(token).encode(), JWTStatelessUserAuthentication()
    assert benchmark(lambda: check.get_user(check.get_validated_token(raw))).id == "7"


@pytest.mark.benchmark(group="instrumentation")
@pytest.mark.parametrize("how", ["ledger", "one by one"])
def test_a_request_is_counted(
    benchmark: Benchmark, how: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By `core.ledger`, which writes once a second, and by an increment of the metric for each figure."""
    used = Tally(queries=2, query_seconds=0.003)
    if how == "ledger":
        ledger = Ledger(metrics.BUCKETS, lambda *_: None)

        def count() -> None:
            ledger.begin()
            ledger.end(("GET", "products", 2), 0.02, used)
    else:
        monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
        monkeypatch.setattr("prometheus_client.metrics.values.ValueClass", MultiProcessValue())
        count = _one_by_one(used)
    benchmark(count)


def _one_by_one(used: Tally) -> Callable[[], None]:
    """Return what counts a request in metrics whose values are files, as those of several workers are."""
    kind = {"registry": CollectorRegistry(), "labelnames": ("method", "route")}
    where = ("GET", "products")
    flying = Gauge("flying", "", registry=CollectorRegistry(), multiprocess_mode="livesum")
    answered, queries, waited = (Counter(name, "", **kind).labels(*where) for name in ("a", "q", "w"))
    took = Histogram("took", "", buckets=metrics.BUCKETS, **kind).labels(*where)

    def count() -> None:
        flying.inc()
        flying.dec()
        answered.inc()
        took.observe(0.02)
        queries.inc(used.queries)
        waited.inc(used.query_seconds)

    return count
