"""Reviews and what they come to, wherever the toggle `rating` has it from."""

from decimal import Decimal

import pytest
from catalogue.models import Product, Review
from catalogue.ratings import figures
from catalogue.services import Opinion, write_review
from django.db import connection
from factories import CustomerFactory, ProductFactory, ReviewFactory

pytestmark = pytest.mark.django_db
WAYS = ("computed", "annotated", "stored")


def review(api, product, **fields):
    body = {"author": CustomerFactory().pk, "rating": 5, "title": "Good", "body": "Bright."} | fields
    return api.post(f"/api/v1/products/{product.pk}/reviews", body, format="json")


def test_a_review_is_written_and_shown(api):
    product = ProductFactory()
    answer = review(api, product, rating=3, title="Fair")
    assert answer.status_code == 201
    assert (answer.json()["rating"], answer.json()["is_verified"]) == (3, False)
    assert answer.json()["created_at"].endswith("T00:00:00Z")
    shown = api.get(f"/api/v1/products/{product.pk}").json()
    assert [each["id"] for each in shown["latest_reviews"]] == [answer.json()["id"]]


@pytest.mark.parametrize("way", WAYS)
def test_every_way_shows_the_mean_after_a_review(api, choose, way):
    choose(rating=way)
    product = ProductFactory()
    for rating in (5, 4, 4, 4, 4, 4, 4, 4):  # 4.125: halves are rounded up
        assert review(api, product, rating=rating).status_code == 201
    shown = api.get(f"/api/v1/products/{product.pk}").json()
    assert (shown["rating"], shown["review_count"]) == ("4.13", 8)
    listed = api.get(f"/api/v1/products?brand={product.brand.slug}&min_rating=4.13").json()["results"]
    assert [(row["rating"], row["review_count"]) for row in listed] == [("4.13", 8)]
    assert api.get(f"/api/v1/products?brand={product.brand.slug}&min_rating=4.14").json()["results"] == []


@pytest.mark.parametrize("way", WAYS)
def test_a_product_without_reviews_has_a_rating_of_zero(api, choose, way):
    choose(rating=way)
    shown = api.get(f"/api/v1/products/{ProductFactory().pk}").json()
    assert (shown["rating"], shown["review_count"]) == ("0.00", 0)


@pytest.mark.parametrize(("way", "stored"), [("computed", 0), ("annotated", 0), ("stored", 2)])
def test_only_a_stored_mean_costs_the_writer_something(choose, way, stored, django_assert_num_queries):
    choose(rating=way)
    product, author = ProductFactory(), CustomerFactory()
    with django_assert_num_queries(4 + stored):  # savepoint, lock, insert, release; then read and write
        write_review(product.pk, author, Opinion(2, "Dim", "Too dim."))
    product.refresh_from_db()
    assert product.stored_review_count == (1 if stored else 0)


def test_a_writer_past_the_service_leaves_the_stored_mean_as_it_was():
    """The price that `rating=stored` declares."""
    product = ProductFactory()
    ReviewFactory(product=product, rating=1)
    assert (product.rating, figures(product.pk).rating) == (0, Decimal("1.00"))


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"rating": 6}, "rating"),
        ({"title": "x" * 121}, "title"),
        ({"author": 0}, "author"),
        ({"body": ""}, "body"),
    ],
)
def test_reviews_that_make_no_sense(api, fields, wrong):
    answer = review(api, ProductFactory(), **fields)
    assert answer.status_code == 400
    assert set(answer.json()) == {wrong}


def test_what_is_not_on_sale_is_not_reviewed(api):
    before = Review.objects.count()
    assert review(api, ProductFactory(is_active=False)).status_code == 404
    assert Review.objects.count() == before


@pytest.mark.django_db(transaction=True)
def test_a_page_kept_aside_shows_a_review_at_once(api, choose):
    choose(cache="aside")
    product = ProductFactory()
    assert api.get(f"/api/v1/products/{product.pk}").json()["latest_reviews"] == []
    review(api, product)
    assert len(api.get(f"/api/v1/products/{product.pk}").json()["latest_reviews"]) == 1


def test_the_columns_keep_their_names():
    """Indexes and the seed name them; the migration that renames the fields touches no row."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT rating, review_count FROM catalogue_product LIMIT 1")
        assert len(cursor.fetchone()) == 2
    assert Product._meta.get_field("stored_rating").column == "rating"
