"""Pages for people: what they show, and what is kept of them."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from catalogue.services import Opinion, write_review
from core import tally
from django.db import connection
from factories import CategoryFactory, CustomerFactory, ProductFactory
from orders.services import Item, place_order
from zeal import zeal_context

CLIENTS = 8


@pytest.mark.django_db
@pytest.mark.parametrize("fragment", ["off", "on"])
def test_a_category_shows_what_is_sold_in_it_and_below(client, choose, fragment):
    choose(fragment=fragment)
    top = CategoryFactory(name="Lights & lamps")
    ProductFactory(category=CategoryFactory(parent=CategoryFactory(parent=top)), name="<Deep>", stock=0)
    ProductFactory(name="Elsewhere")
    for _ in range(2):
        page = client.get(f"/shop/{top.slug}")
        text = page.content.decode()
        assert page["Content-Type"] == "text/html; charset=utf-8"
        assert "<h1>Lights &amp; lamps</h1>" in text
        assert "&lt;Deep&gt;" in text
        assert "sold out" in text
        assert "Elsewhere" not in text


@pytest.mark.django_db
def test_kept_pages_are_those_that_are_rendered_anew(client, choose):
    paths = ["/shop", "/shop/kitchen", "/shop/kitchen-basics-small"]
    expected = [client.get(path).content for path in paths]
    choose(fragment="on")
    for _ in range(2):
        assert [client.get(path).content for path in paths] == expected


@pytest.mark.django_db
def test_what_is_kept_costs_one_query(client, choose, django_assert_num_queries):
    choose(fragment="off")
    with django_assert_num_queries(9), zeal_context():
        client.get("/shop/kitchen")
    choose(fragment="on")
    client.get("/shop/kitchen")
    with django_assert_num_queries(1):
        client.get("/shop/kitchen")


@pytest.mark.django_db
def test_an_unknown_category(client):
    assert client.get("/shop/missing").status_code == 404


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("fragment", ["off", "on"])
def test_a_grid_is_as_new_as_the_last_change(client, choose, fragment):
    choose(fragment=fragment)
    top = CategoryFactory()
    product = ProductFactory(category=CategoryFactory(parent=top), stock=10)
    paths = [f"/shop/{slug}" for slug in (top.slug, product.category.slug)]
    for path in paths:
        assert "10 in stock" in client.get(path).content.decode()
    place_order(CustomerFactory(), [Item(product.pk, 3)])
    for path in paths:
        assert "7 in stock" in client.get(path).content.decode()
    write_review(product.pk, CustomerFactory(), Opinion(4, "Good", "Bright."))
    for path in paths:
        assert "4.00 of 5 by 1" in client.get(path).content.decode()


@pytest.mark.django_db(transaction=True)
def test_best_sellers_may_be_as_old_as_their_period(client, choose):
    """The price that the toggle declares."""
    choose(fragment="on")
    product = ProductFactory()
    path = f"/shop/{product.category.slug}"
    assert "Nothing was sold" in client.get(path).content.decode()
    place_order(CustomerFactory(), [Item(product.pk, 3)])
    assert "Nothing was sold" in client.get(path).content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_grid_that_was_rendered_while_its_rows_changed_is_not_shown_again(client, choose, monkeypatch):
    choose(fragment="on")
    product = ProductFactory(stock=10)
    path = f"/shop/{product.category.slug}"
    monkeypatch.setattr("storefront.views.selectors.newest_products", _order_after(product))
    assert "10 in stock" in client.get(path).content.decode()
    monkeypatch.undo()
    assert "9 in stock" in client.get(path).content.decode()


def _order_after(product):
    from storefront.selectors import newest_products

    def read(slug):
        rows = newest_products(slug)
        place_order(CustomerFactory(), [Item(product.pk, 1)])
        return rows

    return read


@pytest.mark.django_db(transaction=True)
def test_readers_never_see_more_than_what_was_left_before_they_asked(client, choose):
    """Under concurrent writes; and most looks are hits all the same."""
    choose(fragment="on")
    customer, product = CustomerFactory(), ProductFactory(stock=1000)
    path = f"/shop/{product.category.slug}"
    ordered, barrier, used = [], threading.Barrier(CLIENTS), tally.Tally()

    def order():
        place_order(customer, [Item(product.pk, 1)])
        ordered.append(1)
        return True

    def visit(number):
        tally.current.set(used)
        act = order if number == 0 else lambda: _look(client, path, ordered)
        barrier.wait()
        try:
            return [act() for _ in range(15)]
        finally:
            connection.close()

    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(visit, range(CLIENTS)))
    assert all(all(answer) for answer in answers)
    assert used.hits > used.misses


def _look(client, path, ordered):
    most = 1000 - len(ordered)
    text = client.get(path).content.decode()
    left = int(text.partition(" in stock")[0].rpartition("(")[2])
    return left <= most
