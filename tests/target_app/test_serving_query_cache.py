"""`cache=query`: the library reaches into every query set, so that the shop runs as a process of its own."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from catalogue.models import Product
from serving import await_ready, fetch, send

pytestmark = pytest.mark.django_db
PATHS = (
    "/api/v1/products?ordering=-rating&count=none",
    "/api/v1/products?category=kitchen&in_stock=true",
    "/api/v1/products/1",
    "/api/v1/products/1/reviews?rating=5",
    "/api/v1/search?q=oak",
    "/api/v1/best-sellers?category=kitchen",
    "/api/v1/categories",
    "/api/v1/brands",
)
PERIOD_S = 2


@pytest.fixture
def shop(serve):
    """Give the address of a shop that keeps queries, for a short period."""
    base, child, log = serve(
        SHOP_CACHE="query", SHOP_INSTRUMENTATION="prometheus", SHOP_CACHE_SECONDS=str(PERIOD_S)
    )
    await_ready(base, child, log)
    return base


def rows(answer):
    return answer["results"] if isinstance(answer, dict) and "results" in answer else answer


def test_kept_queries_answer_the_same_and_follow_what_is_written(shop, api):
    for path in PATHS:
        expected = rows(api.get(path).json())
        for _ in range(2):
            assert rows(json.loads(fetch(f"{shop}{path}")[1])) == expected, path
    told = dict(line.rsplit(" ", 1) for line in fetch(f"{shop}/metrics")[1].splitlines())
    hits, misses = (
        float(told[f'shop_cache_operations_total{{result="{each}"}}']) for each in ("hit", "miss")
    )
    assert hits >= misses > 0

    listed = rows(json.loads(fetch(f"{shop}/api/v1/products?in_stock=true")[1]))[0]
    product, customer = listed["id"], json.loads(fetch(f"{shop}/api/v1/customers")[1])["results"][0]["id"]
    line = {"product": product, "quantity": 1}
    assert send(f"{shop}/api/v1/orders", {"customer": customer, "lines": [line]})[0] == 201
    opinion = {"author": customer, "rating": 1, "title": "No", "body": "Never again."}
    assert send(f"{shop}/api/v1/products/{product}/reviews", opinion)[0] == 201
    page = json.loads(fetch(f"{shop}/api/v1/products/{product}")[1])
    again = rows(json.loads(fetch(f"{shop}/api/v1/products?in_stock=true")[1]))[0]
    for seen in (page, again):
        assert (seen["id"], seen["stock"]) == (product, listed["stock"] - 1)
        assert seen["review_count"] == listed["review_count"] + 1
    assert page["latest_reviews"][0]["title"] == "No"


def test_under_concurrent_writes_an_answer_is_stale_for_a_period_at_most(shop):
    """A reader may keep what it read before a writer dropped it: the price, as with `invalidation=event`."""
    product = Product.objects.filter(is_active=True, stock__gte=20).order_by("-id").first()
    customer = json.loads(fetch(f"{shop}/api/v1/customers")[1])["results"][0]["id"]
    path = f"{shop}/api/v1/products/{product.pk}"
    body = {"customer": customer, "lines": [{"product": product.pk, "quantity": 1}]}

    def act(number):
        for _ in range(5):
            if number:
                fetch(path)
            else:
                assert send(f"{shop}/api/v1/orders", body)[0] == 201

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(act, range(4)))
    time.sleep(PERIOD_S + 0.2)
    assert json.loads(fetch(path)[1])["stock"] == product.stock - 5
