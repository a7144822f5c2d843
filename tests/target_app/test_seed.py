"""Seeding: the same rows for the same size and seed, skewed as shops are, and ready to be added to."""

import hashlib
from io import StringIO

import pytest
from catalogue.models import Category, Product, Review
from customers.models import Customer
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Avg, Count, Sum
from factories import CustomerFactory, ProductFactory
from orders.models import Order, OrderLine
from populations import TINY
from seeding import loading
from seeding.population import Population
from seeding.sizes import SIZES

pytestmark = pytest.mark.django_db


def digest(population):
    total = hashlib.sha256()
    for _, rows, _ in loading.TABLES:
        for row in rows(population):
            total.update(repr(row).encode())
    return total.hexdigest()


def table_digests():
    found = {}
    with connection.cursor() as cursor:
        for model, _, columns in loading.TABLES:
            table, names = model._meta.db_table, ", ".join(columns)
            rows = f"SELECT md5(ROW({names})::text) AS row FROM {table}"
            cursor.execute(f"SELECT md5(string_agg(row, '' ORDER BY row)) FROM ({rows}) AS rows")
            found[table] = cursor.fetchone()[0]
    return found


def test_the_same_seed_gives_the_same_rows():
    assert digest(Population(TINY, 1)) == digest(Population(TINY, 1))
    assert digest(Population(TINY, 1)) != digest(Population(TINY, 2))


def test_rows_stay_the_same_from_version_to_version():
    """Recorded figures name size and seed: whoever changes the rows must mean to, and change this line."""
    assert (
        digest(Population(SIZES["small"], 1))
        == "f79f7c0635507956336f67ca988e97005e600a18ac062a8f4b6a1fa2a24c34f2"
    )


def test_the_database_holds_what_was_drawn():
    before = table_digests()
    loading.load(Population(TINY, 1), lambda _table, _share: None)
    assert table_digests() == before


def test_every_number_agrees_with_the_rows_behind_it():
    assert Product.objects.count() == TINY.products
    assert Category.objects.filter(children=None).count() == TINY.leaf_count
    for product in Product.objects.annotate(count=Count("reviews"), mean=Avg("reviews__rating")):
        assert product.review_count == product.count
        assert float(product.rating) == pytest.approx(product.mean or 0, abs=0.0051)
    for order in Order.objects.prefetch_related("lines"):
        assert order.total == sum(line.quantity * line.unit_price for line in order.lines.all())


def test_products_belong_to_leaves():
    assert not Product.objects.filter(category__children__isnull=False).exists()


def test_a_few_products_get_most_reviews():
    counts = sorted(Product.objects.values_list("stored_review_count", flat=True), reverse=True)
    assert sum(counts[: len(counts) // 10]) > 0.25 * TINY.reviews
    sold = OrderLine.objects.values("product").annotate(units=Sum("quantity")).order_by("-units")
    assert sold[0]["units"] > 5 * sold[len(sold) // 2]["units"]


def test_texts_vary_in_length():
    lengths = sorted(len(text) for text in Product.objects.values_list("description", flat=True))
    assert lengths[-1] > 4 * lengths[len(lengths) // 2]


def test_instants_are_in_the_past_and_reviews_in_order():
    instants = list(Review.objects.order_by("id").values_list("created_at", flat=True))
    assert instants == sorted(instants)
    assert instants[-1].year <= 2024


def test_rows_can_be_added_afterwards():
    assert CustomerFactory().pk == TINY.customers + 1
    assert ProductFactory().pk == TINY.products + 1


def test_rows_that_are_there_are_kept_unless_replacing_is_asked_for():
    with pytest.raises(CommandError, match="--replace"):
        call_command("seed", size="small")
    out = StringIO()
    call_command("seed", size="small", seed=3, replace=True, stdout=out)
    assert Customer.objects.count() == SIZES["small"].customers
    assert out.getvalue().splitlines()[-1] == "100%"
