"""Two versions of the API: the same answers, and errors told in two ways."""

import pytest
from factories import CustomerFactory, ProductFactory
from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db
PROBLEM = "application/problem+json"
PATHS = (
    "/products?ordering=price",
    "/products/1",
    "/products/1/reviews",
    "/best-sellers",
    "/categories",
    "/customers",
    "/search?q=oak",
)


@pytest.mark.parametrize("path", PATHS)
def test_both_answer_the_same(api, path):
    old, new = api.get(f"/api/v1{path}"), api.get(f"/api/v2{path}")
    assert (old.status_code, old["Content-Type"]) == (new.status_code, new["Content-Type"])
    assert old.content.replace(b"/api/v1/", b"/api/v2/") == new.content


def test_the_old_version_says_that_it_ends_and_where_to_go(api):
    old, new = api.get("/api/v1/products/1"), api.get("/api/v2/products/1")
    assert old["Deprecation"] == "@1795478400"  # RFC 9745: seconds, as a structured date
    assert old["Sunset"] == "Wed, 24 Nov 2027 00:00:00 GMT"
    assert old["Link"] == '</api/v2/products/1>; rel="successor-version"'
    assert not {"Deprecation", "Sunset", "Link"} & set(new.headers)
    assert "Deprecation" in api.get("/api/v1/products/0")


@pytest.mark.parametrize("path", ["/api/v1/%0d%0aX-Evil:1", "/api/v1/%22%3e", "/api/v1/%ff%fe"])
def test_no_path_breaks_a_header(api, path):
    answer = api.get(path)
    assert answer.status_code == 404
    assert "\n" not in answer["Link"]
    assert answer["Link"].count('"') == 2


@pytest.mark.parametrize(
    ("method", "path", "status", "title"),
    [
        ("get", "/api/v2/products/0", 404, "Not Found"),
        ("get", "/api/v2/nothing", 404, "Not Found"),
        ("delete", "/api/v2/products/1", 405, "Method Not Allowed"),
        ("post", "/api/v2/login", 415, "Unsupported Media Type"),
    ],
)
def test_the_new_version_tells_problems(api, method, path, status, title):
    answer = api.generic(method.upper(), path, "<x/>", content_type="text/xml")
    assert (answer.status_code, answer["Content-Type"]) == (status, PROBLEM)
    told = answer.json()
    assert (told["type"], told["title"], told["status"]) == ("about:blank", title, status)
    assert told["detail"]


def test_what_is_not_valid_is_told_by_field(api):
    body = {"customer": 0, "lines": []}
    old, new = (api.post(f"/api/{version}/orders", body, format="json") for version in ("v1", "v2"))
    assert old.status_code == new.status_code == 400
    assert set(old.json()) == set(new.json()["errors"]) == {"customer", "lines"}
    assert new.json()["detail"] == "The request is not valid."


def test_conflicts_keep_their_words(api):
    product = ProductFactory(stock=1)
    body = {"customer": CustomerFactory().pk, "lines": [{"product": product.pk, "quantity": 2}]}
    answer = api.post("/api/v2/orders", body, format="json")
    assert (answer.status_code, answer.json()["detail"]) == (409, "Quiet Lamp: 1 left.")


def test_who_asks_too_fast_is_told_so_as_well(api, choose, settings):
    settings.SHOP_THROTTLE_RATE = "1/hour"
    choose(throttle="redis")
    refused = [api.get("/api/v2/categories") for _ in range(2)][1]
    assert (refused.status_code, refused["Content-Type"], refused.json()["status"]) == (429, PROBLEM, 429)
    assert "Retry-After" in refused


@pytest.mark.parametrize(("version", "media"), [("v1", "application/json"), ("v2", PROBLEM)])
def test_a_failure_of_the_server_tells_nothing_of_its_cause(monkeypatch, version, media):
    monkeypatch.setattr("catalogue.selectors.categories", lambda: 1 / 0)
    answer = APIClient(raise_request_exception=False).get(f"/api/{version}/categories")
    assert (answer.status_code, answer["Content-Type"]) == (500, media)
    assert "division" not in answer.content.decode()


def test_elsewhere_nothing_is_told_in_json(client):
    assert client.get("/nowhere")["Content-Type"].startswith("text/html")


def test_the_description_says_which_is_deprecated_and_how_problems_look(client):
    told = client.get("/api/schema?format=json").json()
    for path, operations in told["paths"].items():
        for operation in operations.values():
            assert operation.get("deprecated", False) is path.startswith("/api/v1/"), path
            assert ("default" in operation["responses"]) is path.startswith("/api/v2/"), path
    assert PROBLEM in told["components"]["responses"]["Problem"]["content"]
    ids = [each["operationId"] for one in told["paths"].values() for each in one.values()]
    assert len(ids) == len(set(ids))
