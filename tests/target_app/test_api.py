"""The API: what it answers, and what it refuses."""

import pytest
from catalogue.models import Product
from django.db import connection
from factories import BrandFactory, CategoryFactory, CustomerFactory, ProductFactory, ReviewFactory
from orders.models import Order

pytestmark = pytest.mark.django_db


def ids(response):
    return [row["id"] for row in response.json()["results"]]


def test_a_listed_product(api):
    product = ProductFactory(price="7.10", stock=3)
    product.tags.create(name="zinc", slug="made-zinc")
    product.tags.create(name="art", slug="made-art")
    row = api.get(f"/api/v1/products?brand={product.brand.slug}").json()["results"][0]
    assert row == {
        "id": product.pk,
        "name": "Quiet Lamp",
        "slug": product.slug,
        "price": "7.10",
        "stock": 3,
        "rating": "0.00",
        "review_count": 0,
        "created_at": "2024-05-01T00:00:00Z",
        "brand": {"id": product.brand.pk, "name": "Norwick", "slug": product.brand.slug},
        "category": {"id": product.category.pk, "name": "Lamps", "slug": product.category.slug},
        "tags": ["art", "zinc"],
    }


def test_a_product_page(api):
    top = CategoryFactory(name="Home")
    product = ProductFactory(category=CategoryFactory(parent=CategoryFactory(parent=top)))
    reviews = [ReviewFactory(product=product, rating=rating) for rating in (5, 5, 1, 2, 3, 4)]
    page = api.get(f"/api/v1/products/{product.pk}").json()
    assert page["description"] == "It shines."
    assert [each["name"] for each in page["breadcrumb"]] == ["Home", "Lamps", "Lamps"]
    assert page["rating_histogram"] == {"1": 1, "2": 1, "3": 1, "4": 1, "5": 2}
    assert [each["id"] for each in page["latest_reviews"]] == [each.pk for each in reviews[:0:-1]]
    assert page["latest_reviews"][0]["author"] == "Ada Adler"


def test_what_is_not_active_is_not_shown(api):
    product = ProductFactory(is_active=False)
    assert api.get(f"/api/v1/products/{product.pk}").status_code == 404
    assert api.get(f"/api/v1/products/{product.pk}/reviews").status_code == 404
    assert ids(api.get(f"/api/v1/products?brand={product.brand.slug}")) == []


def test_filters(api):
    brand, parent = BrandFactory(), CategoryFactory()
    cheap = ProductFactory(
        brand=brand, category=CategoryFactory(parent=parent), price=1, stock=0, stored_rating=2
    )
    dear = ProductFactory(brand=brand, category=parent, price=9, stored_rating=4)
    cheap.tags.create(name="rare", slug="made-rare")
    for query, found in {
        f"category={parent.slug}": [cheap, dear],
        f"category={cheap.category.slug}": [cheap],
        "category=missing": [],
        f"brand={brand.slug}": [cheap, dear],
        f"brand={brand.slug}&min_price=5": [dear],
        f"brand={brand.slug}&max_price=5": [cheap],
        f"brand={brand.slug}&min_rating=3": [dear],
        f"brand={brand.slug}&in_stock=true": [dear],
        f"brand={brand.slug}&in_stock=false": [cheap],
        "tag=made-rare": [cheap],
    }.items():
        assert ids(api.get(f"/api/v1/products?{query}")) == [each.pk for each in found], query


def test_ties_are_broken_by_the_key_in_the_order_s_direction(api):
    brand = BrandFactory()
    first, second, third = (ProductFactory(brand=brand, price=price) for price in (5, 5, 4))
    path = f"/api/v1/products?brand={brand.slug}&ordering="
    assert ids(api.get(f"{path}price")) == [third.pk, first.pk, second.pk]
    assert ids(api.get(f"{path}-price")) == [second.pk, first.pk, third.pk]
    assert ids(api.get(f"{path}description")) == [first.pk, second.pk, third.pk]


def test_search_ranks_the_name_above_the_text(api, choose):
    choose(search="fulltext")
    in_text = ProductFactory(name="Lamp", description="Has a zyzzyva inside.")
    in_name = ProductFactory(name="Zyzzyva", description="A beetle.")
    assert ids(api.get("/api/v1/search?q=zyzzyvas")) == [in_name.pk, in_text.pk]
    assert ids(api.get("/api/v1/search?q=zyzzyva -beetle")) == [in_text.pk]
    assert ids(api.get("/api/v1/search?q=%27%22%26|!(")) == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/products?min_price=cheap", 400),
        ("/api/v1/products?category=%00", 400),
        ("/api/v1/search?q=%00", 400),
        ("/api/v1/best-sellers?category=%00", 400),
        ("/api/v1/products?page_size=0", 404),
        ("/api/v1/products?offset=-1", 404),
        ("/api/v1/products?offset=99999999999999999999", 404),
        ("/api/v1/products/99999999999999999999", 404),
        ("/api/v1/brands/missing", 404),
        ("/api/v1/nothing", 404),
    ],
)
def test_wrong_questions(api, path, status):
    assert api.get(path).status_code == status


def test_pages_have_a_largest_size(api, settings):
    settings.SHOP_PAGE_SIZE_MAX = 30
    assert len(ids(api.get("/api/v1/products?page_size=1000"))) == 30


def test_an_order_takes_its_items_from_stock(api):
    customer, lamp, chair = CustomerFactory(), ProductFactory(price="2.50"), ProductFactory(price="10.00")
    lines = [{"product": chair.pk, "quantity": 1}, {"product": lamp.pk, "quantity": 4}]
    answer = api.post("/api/v1/orders", {"customer": customer.pk, "lines": lines}, format="json")
    assert answer.status_code == 201
    order = answer.json()
    assert (order["status"], order["total"], order["customer"]) == ("placed", "20.00", customer.pk)
    assert [(line["product"], line["quantity"], line["unit_price"]) for line in order["lines"]] == [
        (lamp.pk, 4, "2.50"),
        (chair.pk, 1, "10.00"),
    ]
    assert api.get(f"/api/v1/orders/{order['id']}").json() == order
    assert list(
        Product.objects.filter(pk__in=[lamp.pk, chair.pk]).order_by("pk").values_list("stock", flat=True)
    ) == [6, 9]


def test_an_order_is_placed_whole_or_not_at_all(api):
    customer, plenty, few = CustomerFactory(), ProductFactory(), ProductFactory(stock=1)
    lines = [{"product": plenty.pk, "quantity": 2}, {"product": few.pk, "quantity": 2}]
    orders = Order.objects.count()
    answer = api.post("/api/v1/orders", {"customer": customer.pk, "lines": lines}, format="json")
    assert (answer.status_code, answer.json()) == (409, {"detail": "Quiet Lamp: 1 left."})
    plenty.refresh_from_db()
    assert (plenty.stock, Order.objects.count()) == (10, orders)


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [{"product": 1, "quantity": 0}],
        [{"product": 1, "quantity": 100}],
        [{"product": 1, "quantity": 1}, {"product": 1, "quantity": 2}],
        [{"product": 999_999_999, "quantity": 1}],
        [{"product": number, "quantity": 1} for number in range(1, 60)],
        "lamp",
    ],
)
def test_orders_that_make_no_sense(api, lines):
    body = {"customer": CustomerFactory().pk, "lines": lines}
    answer = api.post("/api/v1/orders", body, format="json")
    assert answer.status_code == 400
    assert "lines" in answer.json()


def test_an_unknown_customer(api):
    body = {"customer": 999_999_999, "lines": [{"product": 1, "quantity": 1}]}
    assert "customer" in api.post("/api/v1/orders", body, format="json").json()


def test_customers_show_no_address(api):
    assert set(api.get("/api/v1/customers").json()["results"][0]) == {"id", "name", "country"}


def test_the_api_describes_itself(client):
    text = client.get("/api/schema").content.decode()
    for path in ("/api/v1/products:", "/api/v1/orders:", "/api/v1/best-sellers:", "/api/v1/search:"):
        assert path in text
    assert client.get("/api/docs").status_code == 200


@pytest.mark.parametrize("query", ["", "?format=json"])
def test_a_prebuilt_description_is_the_same(client, choose, query):
    made = client.get(f"/api/schema{query}")
    choose(openapi="prebuilt")
    kept, again = (client.get(f"/api/schema{query}") for _ in range(2))
    assert made.content == kept.content == again.content
    assert made["Content-Type"] == kept["Content-Type"] == again["Content-Type"]


def test_health(client):
    assert client.get("/health/live").json() == {"status": "ok"}
    database = "postgres" if connection.vendor == "postgresql" else connection.vendor
    assert client.get("/health/ready").json()["checks"] == {database: "ok", "redis": "ok"}
