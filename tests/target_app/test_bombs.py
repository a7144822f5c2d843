"""Bodies that are too long, too deep or no JSON, and clients who say they are others."""

import asyncio
import http.client
import json
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from django.conf import settings as shop
from rest_framework.test import APIClient
from seeding.accounts import PASSWORD
from serving import await_ready

pytestmark = pytest.mark.django_db
LEVELS = 100_000


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_what_a_form_of_another_site_can_send_is_not_read(api, kind):
    body = json.dumps({"username": "customer-1", "password": PASSWORD})
    for path in ("login", "orders", "exports", "products/1/reviews"):
        assert api.generic("POST", f"/api/v2/{path}", body, content_type=kind).status_code == 415


BOMBS = {
    "deep lists": ("[" * LEVELS + "]" * LEVELS, 400),
    "deep objects": ('{"a":' * 30_000 + "1" + "}" * 30_000, 400),
    "a long number": ('{"customer": ' + "9" * 5_000 + "}", 400),
    "infinity": ('{"customer": Infinity}', 400),
    "half a character": ('{"category": "\\ud800"}', 400),
    "too long": ('{"category": "' + "a" * shop.DATA_UPLOAD_MAX_MEMORY_SIZE + '"}', 413),
    "no UTF-8": (b'{"category": "\xff"}', 400),
    "a list": ("[1]", 400),
    "nothing": ("", 400),
}


@pytest.mark.parametrize("path", ["login", "orders", "exports", "products/1/reviews", "orders/1/status"])
def test_no_body_makes_the_server_fail(path):
    client = APIClient(raise_request_exception=False)
    seen, wanted = {}, {}
    for name, (body, status) in BOMBS.items():
        answer = client.generic("POST", f"/api/v2/{path}", body, content_type="application/json")
        seen[name], wanted[name] = answer.status_code, status
    if path == "exports":
        wanted["nothing"] = 202  # of everything
        wanted["a long number"] = 400
    assert {name: status for name, status in seen.items() if status != wanted[name]} == {}


def test_a_charset_that_unpacks_is_refused(api):
    answer = api.generic("POST", "/api/v2/login", b"BZh9", content_type="application/json; charset=bz2")
    assert answer.status_code == 400


GRAPH = {
    "deep JSON": "[" * LEVELS + "]" * LEVELS,
    "a long number": '{"query": "{__typename}", "variables": {"a": ' + "9" * 5_000 + "}}",
    "too long": '{"query": "' + "a" * shop.DATA_UPLOAD_MAX_MEMORY_SIZE + '"}',
    "no UTF-8": b'{"query": "\xff"}',
    "a batch": json.dumps([{"query": "{ __typename }"}] * 50),
    "a number": "1",
    "null": "null",
    "no query": "{}",
    "a query that is none": '{"query": 7}',
    "variables that are none": '{"query": "{ __typename }", "variables": [1]}',
    "directives": json.dumps({"query": "{ __typename " + "@include(if: true) " * 400 + "}"}),
    "aliases": json.dumps(
        {"query": "{" + " ".join(f"a{n}: __schema {{ types {{ name }} }}" for n in range(30)) + "}"}
    ),
}


def test_no_body_makes_the_graph_fail(choose):
    client = APIClient(raise_request_exception=False)
    for mode in ("naive", "dataloader"):
        choose(graphql=mode)
        seen = {
            name: client.generic("POST", "/graphql/", body, content_type="application/json").status_code
            for name, body in GRAPH.items()
        }
        assert seen == dict.fromkeys(GRAPH, 400)


@pytest.mark.parametrize("slug", ["a\0b", "\ud800", "x" * 5_000])
def test_a_category_that_none_can_have_is_the_clients_mistake(api, slug, caplog):
    body = {"query": "query A($c: String) { products(category: $c) { id } }", "variables": {"c": slug}}
    told = api.generic("POST", "/graphql/", json.dumps(body), content_type="application/json").json()
    assert "must be a category's slug" in told["errors"][0]["message"]
    assert caplog.text == ""


@pytest.mark.parametrize("choice", ["drf", "redis"])
def test_the_graph_counts_by_peer_too(api, choose, settings, choice):
    settings.SHOP_THROTTLE_RATE = "2/hour"
    choose(throttle=choice)
    seen = [
        api.get("/graphql/?query={__typename}", headers={name: f"10.9.9.{number}"}).status_code
        for number, name in enumerate(("x-forwarded-for", "x-real-ip", "forwarded", "client-ip"))
    ]
    assert seen == [200, 200, 429, 429]


def test_a_host_that_is_not_ours_is_refused(api):
    assert api.get("/api/v2/products", headers={"host": "elsewhere.example"}).status_code == 400
    linked = api.get("/api/v2/products?page_size=1", headers={"x-forwarded-host": "elsewhere.example"}).json()
    assert "elsewhere" not in (linked["next"] or "")


def test_a_body_in_pieces_is_kept_as_far_as_it_may_be_right():
    """Below ASGI one of an unknown length would go to the disk whole, before any view looks at it."""
    from config.asgi import BoundedHandler

    pieces = [{"type": "http.request", "body": b"x" * 65_536, "more_body": True} for _ in range(63)]
    pieces.append({"type": "http.request", "body": b"x" * 65_536})

    async def receive():
        return pieces.pop(0)

    with asyncio.run(BoundedHandler().read_body(receive)) as body:
        size = len(body.read())
    most = shop.DATA_UPLOAD_MAX_MEMORY_SIZE
    assert (pieces, most < size <= most + 65_536) == ([], True)


def test_below_an_event_loop_nobody_is_believed_about_an_address_either(serve):
    """Uvicorn would believe X-Forwarded-For of clients on its own host."""
    base, child, log = serve(SHOP_SERVER="asgi", SHOP_THROTTLE="redis", SHOP_THROTTLE_RATE="2/day")
    await_ready(base, child, log)

    def post(body, **headers):
        with closing(http.client.HTTPConnection(urlsplit(base).netloc, timeout=30)) as connection:
            connection.request("POST", "/api/v2/login", body, {"Content-Type": "application/json", **headers})
            return connection.getresponse().status

    seen = [post("{}"), post(b"[" * (shop.DATA_UPLOAD_MAX_MEMORY_SIZE + 1))]
    seen += [post("{}", **{"X-Forwarded-For": f"10.9.9.{n}", "X-Real-IP": "10.9.9.9"}) for n in range(2)]
    assert seen == [400, 413, 429, 429]
