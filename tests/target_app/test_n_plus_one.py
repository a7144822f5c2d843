"""Choices that claim to fetch everything at once: a query a row raises, wherever it comes from."""

import pytest
from zeal import NPlusOneError, zeal_context

pytestmark = pytest.mark.django_db
PATHS = (
    "/api/v1/products",
    "/api/v1/products/1",
    "/api/v1/products/1/reviews",
    "/api/v1/reviews",
    "/api/v1/search?q=oak",
    "/api/v1/best-sellers",
    "/api/v1/brands",
    "/api/v1/categories",
    "/api/v1/customers",
)


@pytest.mark.parametrize("serializer", ["model", "plain", "values"])
@pytest.mark.parametrize("rating", ["annotated", "stored"])
@pytest.mark.parametrize("orm", ["prefetch", "values"])
def test_nothing_is_fetched_row_by_row(api, choose, orm, rating, serializer):
    choose(orm=orm, rating=rating, serializer=serializer)
    for path in PATHS:
        with zeal_context():
            assert api.get(path).status_code == 200


@pytest.mark.parametrize("orm", ["naive", "select_related"])
def test_the_detector_raises_where_rows_fetch_for_themselves(api, choose, orm):
    choose(orm=orm)
    with pytest.raises(NPlusOneError), zeal_context():
        api.get("/api/v1/products")
