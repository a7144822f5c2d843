"""The SQL of the important queries, as files: a change of a query is seen in review.

`UPDATE_GOLDENS=1 pytest tests/target_app/test_goldens.py` writes them again.
"""

import os
from pathlib import Path

import pytest
import sqlparse
from django.db import connection
from django.test.utils import CaptureQueriesContext

pytestmark = pytest.mark.django_db
GOLDENS = Path(__file__).parent / "goldens"
CASES = {
    "list-prefetch": ("/api/v1/products?ordering=-rating", {"count": "none"}),
    "list-values": ("/api/v1/products?ordering=-rating", {"orm": "values", "count": "none"}),
    "list-annotated": (
        "/api/v1/products?min_rating=3",
        {"rating": "annotated", "orm": "values", "count": "none"},
    ),
    "list-cursor": (
        "/api/v1/products?ordering=price&cursor=WzAsIjkuOTkiLCI0MiJd",
        {"pagination": "cursor"},
    ),
    "page-prefetch": ("/api/v1/products/1", {}),
    "page-values": ("/api/v1/products/1", {"orm": "values"}),
    "reviews-exact": ("/api/v1/products/1/reviews", {"count": "exact"}),
    "search-fulltext": ("/api/v1/search?q=oak lamp", {"count": "none"}),
    "search-icontains": ("/api/v1/search?q=oak -lamp", {"search": "icontains", "count": "none"}),
    "graph-dataloader": (
        "/graphql/?query={products(first:5){name brand{name} tags reviews(first:2){title author{name}}}}",
        {"graphql": "dataloader"},
    ),
    "best-sellers": ("/api/v1/best-sellers?category=kitchen", {}),
}


@pytest.mark.parametrize("name", CASES)
def test_queries_are_as_recorded(api, choose, name):
    path, choices = CASES[name]
    choose(**choices)
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert api.get(path).status_code == 200
    text = "\n\n".join(sqlparse.format(query["sql"], reindent=True) + ";" for query in seen) + "\n"
    golden = GOLDENS / f"{name}.sql"
    if os.environ.get("UPDATE_GOLDENS"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text)
    assert text == golden.read_text()


def test_every_golden_has_its_case():
    assert {path.stem for path in GOLDENS.glob("*.sql")} == set(CASES)
