"""What must hold when clients act at the same moment; real threads, each with connections of its own."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from catalogue.models import Product
from catalogue.pages import product_page
from core.caching import forget, remember
from core.throttling import AtomicThrottle, CacheThrottle
from django.core.cache import cache
from django.db import connection, transaction
from factories import CustomerFactory, ProductFactory
from orders.services import Item, OutOfStockError, place_order

CLIENTS = 8


def at_once(act, count):
    """Return what `count` calls of `act(number)` return, started together by `CLIENTS` threads."""
    barrier = threading.Barrier(CLIENTS)

    def client(first):
        barrier.wait()
        try:
            return [act(number) for number in range(first, count, CLIENTS)]
        finally:
            connection.close()

    with ThreadPoolExecutor(CLIENTS) as pool:
        return [answer for answers in pool.map(client, range(CLIENTS)) for answer in answers]


def request_from(address):
    return SimpleNamespace(META={"REMOTE_ADDR": address}, headers={})


def test_the_atomic_throttle_lets_exactly_the_limit_through(settings):
    settings.SHOP_THROTTLE_RATE = "50/day"
    answers = at_once(lambda _: AtomicThrottle().allow_request(request_from("10.0.0.1"), None), 240)
    assert answers.count(True) == 50
    assert AtomicThrottle().allow_request(request_from("10.0.0.2"), None)


@pytest.mark.parametrize("kind", [AtomicThrottle, CacheThrottle])
def test_throttles_give_way_again(settings, kind):
    settings.SHOP_THROTTLE_RATE = "2/s"
    throttle = kind()
    assert [throttle.allow_request(request_from("10.0.0.3"), None) for _ in range(3)] == [True, True, False]
    assert 0 < throttle.wait() <= 1
    time.sleep(throttle.wait() + 0.05)
    assert kind().allow_request(request_from("10.0.0.3"), None)


@pytest.mark.django_db
@pytest.mark.parametrize(("choice", "last"), [("off", 200), ("drf", 429), ("redis", 429)])
def test_a_client_that_asks_too_fast_is_told_when_to_come_back(api, choose, settings, choice, last):
    settings.SHOP_THROTTLE_RATE = "3/hour"
    choose(throttle=choice)
    answers = [api.get("/api/v1/categories") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, last]
    assert ("Retry-After" in answers[3]) is (last == 429)
    # Whoever claims to be someone else by a header is counted all the same.
    assert api.get("/api/v1/categories", headers={"x-forwarded-for": "10.9.9.9"}).status_code == last


@pytest.mark.django_db(transaction=True)
def test_stock_is_never_sold_twice():
    customer, few = CustomerFactory(), ProductFactory(stock=20)

    def buy(_):
        try:
            place_order(customer, [Item(few.pk, 1)])
        except OutOfStockError:
            return False
        return True

    assert at_once(buy, 40).count(True) == 20
    assert Product.objects.get(pk=few.pk).stock == 0


@pytest.mark.django_db(transaction=True)
def test_orders_of_the_same_products_do_not_deadlock():
    customer, first, second = CustomerFactory(), ProductFactory(stock=100), ProductFactory(stock=100)

    def buy(number):
        items = [Item(first.pk, 1), Item(second.pk, 1)]
        return place_order(customer, items[:: 1 if number % 2 else -1]).pk

    assert len(set(at_once(buy, 40))) == 40
    assert set(Product.objects.values_list("stock", flat=True)) == {60}


def test_a_missing_value_is_computed_by_one_client_while_others_wait(choose):
    choose(cache="aside")
    computed = []

    def compute():
        computed.append(1)
        time.sleep(0.05)
        return "value"

    assert at_once(lambda _: remember("popular", compute), CLIENTS) == ["value"] * CLIENTS
    assert len(computed) == 1


def test_a_value_that_came_while_the_lock_was_taken_is_not_computed_again(choose, monkeypatch):
    choose(cache="aside")
    take = cache.add

    def take_late(*words):
        cache.set("late", (None, "of another"))
        return take(*words)

    monkeypatch.setattr(cache, "add", take_late)
    assert remember("late", lambda: "own") == "of another"
    assert cache.get("late:lock") is None


def test_who_waits_too_long_computes_by_itself(choose, monkeypatch):
    choose(cache="aside")
    monkeypatch.setattr("core.caching._PATIENCE_S", 0.03)
    cache.add("stuck:lock", 1, 10)
    assert remember("stuck", lambda: "own") == "own"
    assert cache.get("stuck:lock") == 1


@pytest.mark.parametrize("choice", ["off", "view"])
def test_nothing_is_kept_aside_unless_chosen(choose, choice):
    choose(cache=choice)
    assert [remember("key", lambda each=each: each) for each in (1, 2)] == [1, 2]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("invalidation", "next_ones"),
    [("versioned", ["new", "new"]), ("event", ["old", "old"]), ("ttl", ["old", "old"])],
)
def test_a_value_that_changed_while_it_was_computed(choose, invalidation, next_ones):
    """Never served where keys have versions; the others serve it until its period is over: their price."""
    choose(cache="aside", invalidation=invalidation)

    def compute():
        forget("page")  # a writer commits between our read and our keeping it
        return "old"

    assert remember("page", compute) == "old"
    assert [remember("page", lambda each=each: each) for each in ("new", "newer")] == next_ones


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("invalidation", "stock"), [("versioned", 7), ("event", 7), ("ttl", 10)])
def test_how_stale_a_page_is_after_an_order(api, choose, invalidation, stock):
    choose(cache="aside", invalidation=invalidation)
    product = ProductFactory(stock=10)
    path = f"/api/v1/products/{product.pk}"
    assert api.get(path).json()["stock"] == 10
    place_order(CustomerFactory(), [Item(product.pk, 3)])
    assert api.get(path).json()["stock"] == stock


@pytest.mark.django_db(transaction=True)
def test_readers_never_see_less_than_what_was_ordered_before_they_asked(choose):
    """Under concurrent writes, with versions: an answer is never older than the last order that was answered.

    Between the commit and the new version lies a moment in which others may see what was.
    """
    choose(cache="aside", invalidation="versioned")
    customer, product = CustomerFactory(), ProductFactory(stock=1000)
    ordered = []

    def act(number):
        if number % CLIENTS == 0:  # one client writes, the others read
            place_order(customer, [Item(product.pk, 1)])
            ordered.append(1)
            return True
        left = 1000 - len(ordered)
        return product_page(product.pk)["stock"] <= left

    assert all(at_once(act, 25 * CLIENTS))


@pytest.mark.django_db(transaction=True)
def test_a_writer_that_fails_drops_nothing(choose):
    choose(cache="aside")
    remember("page", lambda: "kept")
    with transaction.atomic():
        forget("page")
        transaction.set_rollback(True)
    assert remember("page", lambda: "new") == "kept"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("choice", "stock"), [("off", 7), ("aside", 7), ("view", 10)])
def test_a_product_page_after_an_order(api, choose, choice, stock):
    """Aside drops what an order changes; a whole answer stays as old as its period: the price it declares."""
    choose(cache=choice)
    product = ProductFactory(stock=10)
    path = f"/api/v1/products/{product.pk}"
    assert api.get(path).json()["stock"] == 10
    place_order(CustomerFactory(), [Item(product.pk, 3)])
    assert api.get(path).json()["stock"] == stock
    if choice == "aside":
        assert product_page(product.pk)["stock"] == 7
