"""How many queries an answer takes."""

import pytest

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("orm", "queries"), [("naive", 61), ("select_related", 21), ("prefetch", 2), ("values", 1)]
)
def test_a_page_of_twenty_products(api, choose, django_assert_num_queries, orm, queries):
    choose(orm=orm, count="none")
    with django_assert_num_queries(queries):
        assert len(api.get("/api/v1/products").json()["results"]) == 20


@pytest.mark.parametrize(("rating", "queries"), [("computed", 22), ("annotated", 2), ("stored", 2)])
def test_a_rating_that_is_computed_costs_a_query_a_row(
    api, choose, django_assert_num_queries, rating, queries
):
    choose(rating=rating, count="none")
    with django_assert_num_queries(queries):
        assert len(api.get("/api/v1/products").json()["results"]) == 20


@pytest.mark.parametrize(
    ("path", "queries"),
    [
        ("/api/v1/products?category=kitchen&brand=missing", 3),
        ("/api/v1/products/1/reviews?", 2),
        ("/api/v1/reviews?", 1),
        ("/api/v1/search?q=oak", 2),
        ("/api/v1/customers?", 1),
    ],
)
def test_queries_do_not_grow_with_the_page(api, choose, django_assert_num_queries, path, queries):
    choose(count="none")
    for size in (2, 50):
        with django_assert_num_queries(queries):
            assert api.get(f"{path}&page_size={size}").status_code == 200


@pytest.mark.parametrize(("choice", "queries"), [("exact", 3), ("estimated", 3), ("none", 2)])
def test_a_total_costs_one_query(api, choose, django_assert_num_queries, choice, queries):
    choose(count=choice)
    with django_assert_num_queries(queries):
        api.get("/api/v1/products")


def test_best_sellers_take_three_queries_and_none_from_the_cache(api, choose, django_assert_num_queries):
    choose(cache="aside")
    with django_assert_num_queries(3):
        api.get("/api/v1/best-sellers")
    with django_assert_num_queries(0):
        api.get("/api/v1/best-sellers")


@pytest.mark.parametrize(("orm", "queries"), [("prefetch", 4), ("values", 3)])
def test_a_product_page(api, choose, django_assert_num_queries, orm, queries):
    choose(orm=orm)
    with django_assert_num_queries(queries):
        api.get("/api/v1/products/1")
