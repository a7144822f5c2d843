"""Whatever a toggle's choice, clients get the same answers, up to the rules it declares."""

import base64

import pytest
from core.toggles import declared
from django.contrib.auth.models import User
from django.db import connection
from payloads import same

pytestmark = pytest.mark.django_db

LISTS = [
    f"/api/v1/products?{query}&ordering={ordering}"
    for query in (
        "",
        "category=kitchen",
        "category=kitchen-basics-small",
        "brand=missing",
        "in_stock=true&min_rating=3",
    )
    for ordering in ("price", "-rating")
]
PATHS = [
    *LISTS,
    "/api/v1/products?ordering=-created_at",
    "/api/v1/products/1",
    "/api/v1/products/999999",
    "/api/v1/products/1/reviews",
    "/api/v1/products/1/reviews?rating=5&ordering=rating",
    "/api/v1/reviews?min_rating=4",
    "/api/v1/search?q=oak",
    "/api/v1/search?q=",
    "/api/v1/best-sellers",
    "/api/v1/best-sellers?category=kitchen",
    "/api/v1/categories",
    "/api/v1/brands",
    "/api/v1/customers",
    "/graphql/?query={products(first:5){name rating brand{name} tags reviews(first:2){title author{name}}}}",
]
STAFFS = {"/api/v1/customers"}
"""For staff alone, where anybody logs in."""
EXPECTED = {}
"""Answers of the defaults, by what is held: the rows are the same in every test."""


def staff():
    """Return the header of one of staff."""
    User.objects.create_user("bob", password="secret", is_staff=True)
    return {"Authorization": f"Basic {base64.b64encode(b'bob:secret').decode()}"}


def answers(api, headers):
    found = {}
    for path in PATHS:
        own = headers if path in STAFFS else {}
        response = api.get(path, headers=own)
        assert api.get(path, headers=own).content == response.content  # from the cache where there is one
        found[path] = (response.status_code, response.json())
    return found


def give_indexes(choice):
    with connection.cursor() as cursor:
        for statement in declared()["indexes"].ddl[choice]:
            cursor.execute(statement)
        if connection.vendor == "postgresql":  # so small tables would be read whole all the same
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")


@pytest.mark.parametrize(
    ("name", "choice"), [(each.name, choice) for each in declared().values() for choice in each.choices]
)
def test_every_choice_answers_as_the_default(api, choose, name, choice):
    toggle = declared()[name]
    choose(**toggle.given)
    held = tuple(sorted(toggle.given.items()))
    headers = staff()
    expected = EXPECTED[held] = EXPECTED.get(held) or answers(api, headers)
    choose(**{name: choice})
    if toggle.ddl:
        give_indexes(choice)
    for path, (status, payload) in answers(api, headers).items():
        assert status == expected[path][0], path
        assert same(payload, expected[path][1], toggle.normalise), path


def walk(api, path, most=200):
    rows = []
    while path and most:
        most -= 1
        page = api.get(path).json()
        rows += [row["id"] for row in page["results"]]
        path = page["next"]
    return rows


@pytest.mark.parametrize("ordering", ["id", "-id", "price", "-rating", "review_count", "-created_at"])
def test_paginations_walk_the_same_way(api, choose, ordering):
    path = f"/api/v1/products?ordering={ordering}&page_size=17"
    walks = {}
    for choice in ("page", "limit_offset", "cursor"):
        choose(pagination=choice)
        walks[choice] = walk(api, path)
    choose(pagination="none")
    whole = [row["id"] for row in api.get(path).json()]
    assert walks == dict.fromkeys(walks, whole)
    assert len(whole) == len(set(whole)) > 250


@pytest.mark.parametrize("choice", ["page", "limit_offset", "cursor"])
def test_previous_leads_back(api, choose, choice):
    choose(pagination=choice)
    first = api.get("/api/v1/products?ordering=-rating&page_size=7").json()
    second = api.get(first["next"]).json()
    third = api.get(second["next"]).json()
    assert api.get(third["previous"]).json()["results"] == second["results"]
    again = api.get(second["previous"]).json()
    assert (again["results"], again["previous"]) == (first["results"], None)


def test_search_results_can_be_walked_by_cursor(api, choose):
    choose(pagination="cursor")
    by_cursor = walk(api, "/api/v1/search?q=oak&page_size=3")
    choose(pagination="page")
    assert by_cursor == walk(api, "/api/v1/search?q=oak&page_size=3") != []


@pytest.mark.parametrize(
    "cursor", ["x", "W10", "WzAsIjEiLCIyIiwiMyJd", "W1tdLCIxIl0", "AAAA", "%00", "W" * 5000]
)
def test_a_made_up_cursor_is_refused(api, choose, cursor):
    choose(pagination="cursor")
    assert api.get(f"/api/v1/products?cursor={cursor}").status_code == 404


def test_counts(api, choose):
    choose(count="exact")
    exact = api.get("/api/v1/reviews?min_rating=4").json()["count"]
    choose(count="estimated")
    estimated = api.get("/api/v1/reviews?min_rating=4").json()["count"]
    choose(count="none")
    assert api.get("/api/v1/reviews?min_rating=4").json()["count"] is None
    assert exact > 500
    assert estimated == pytest.approx(exact, rel=0.1)
