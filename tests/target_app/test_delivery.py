"""Quotes of a slow carrier: both views answer alike, and each server waits as its toggle says."""

import asyncio
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from core.toggles import DECLARATION, declared
from counting_carrier import carrier
from delivery import upstream
from delivery.carrier import quote
from delivery.urls import VIEWS
from delivery.views import quote as wait
from delivery.views import quote_async
from django.test import RequestFactory
from serving import await_ready, fetch

PATH = "/api/v1/delivery"
AT_ONCE = 12


async def ask_later(request):
    """Answer as an event loop would; its connections end with it."""
    answer = await quote_async(request)
    session = upstream._sessions.pop(asyncio.get_running_loop(), None)
    if session is not None:
        await session.close()
    return answer


WAYS = {"sync": wait, "async": lambda request: asyncio.run(ask_later(request))}


@pytest.fixture(params=WAYS)
def ask(request):
    """Give a function that asks for a country's quote, in either way."""
    return lambda country: WAYS[request.param](RequestFactory().get(PATH, {"country": country}))


@pytest.fixture
def set_carrier(settings, monkeypatch):
    """Give a function that names another carrier."""

    def name(url):
        settings.SHOP_CARRIER_URL = url
        monkeypatch.setattr(upstream, "_known", [])

    return name


@pytest.fixture(scope="module", autouse=True)
def _quick_carrier():
    """Let the process's own carrier answer at once, and end it after these tests."""
    from django.test import override_settings

    with override_settings(SHOP_CARRIER_MS=0):
        yield
    for process in upstream._own:
        process.communicate()
    upstream._known.clear()


def test_every_server_has_its_view():
    assert set(VIEWS) == set(declared()["server"].choices)


@pytest.mark.parametrize("country", ["NO", "SE"])
def test_both_views_tell_the_carriers_quote(ask, country):
    answer = ask(country)
    assert (answer.status_code, json.loads(answer.content)) == (200, quote(country))


@pytest.mark.parametrize("country", ["", "no", "NOR", "N/", "N\n"])
def test_a_country_that_is_none_is_not_passed_on(ask, country):
    answer = ask(country)
    assert answer.status_code == 400
    assert b"two capital letters" in answer.content


def test_the_address_answers(client):
    assert client.get(f"{PATH}?country=NO").json() == quote("NO")


def test_a_carrier_that_is_away_is_told(ask, set_carrier):
    set_carrier("http://127.0.0.1:1")
    answer = ask("NO")
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert b"The carrier gives no quote" in answer.content


def test_a_carrier_that_says_no_is_told(ask, set_carrier):
    set_carrier(f"{upstream.address()}/elsewhere")
    assert b"(status 404)" in ask("NO").content


def test_a_carrier_that_is_too_slow_is_not_waited_for(ask, set_carrier, monkeypatch):
    monkeypatch.setattr(upstream, "PATIENCE_S", 0.05)
    upstream._pool.cache_clear()
    with carrier(expected=99) as slow:
        set_carrier(slow.url)
        assert b"Timeout" in ask("NO").content
        slow.enough.set()
    upstream._pool.cache_clear()


def test_a_carrier_ends_with_whoever_started_it():
    argv = [sys.executable, str(upstream.CARRIER), "0"]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert int(process.stdout.readline()) > 0
    process.stdin.close()
    assert process.wait(timeout=10) == 0
    process.stdout.close()


@pytest.mark.parametrize(("server", "most"), [("sync", 1), ("gthread", 4), ("asgi", AT_ONCE)])
def test_how_many_requests_wait_at_once(serve, server, most):
    """Seen by the carrier: one of a sync worker, one a thread, all of them on an event loop."""
    with carrier(expected=most) as seen:
        base, child, log = serve(SHOP_SERVER=server, SHOP_CARRIER_URL=seen.url, SHOP_THREADS="4")
        await_ready(base, child, log)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(lambda _: fetch(f"{base}{PATH}?country=NO"), range(AT_ONCE)))
        assert {status for status, _ in answers} == {200}
        assert seen.most == most
        shown = json.loads(fetch(f"{base}/api/v1/products?page_size=3")[1])
        assert len(shown["results"]) == 3
        drawn = json.loads(fetch(f"{base}/graphql/?query={{products(first:3){{tags}}}}")[1])
        assert len(drawn["data"]["products"]) == 3


def test_nobody_pays_for_what_was_not_chosen(environment):
    code = (
        "import sys, config.wsgi, config.urls; "
        "print({'strawberry', 'graphql', 'channels', 'aiohttp', 'uvicorn'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=DECLARATION.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "set()"


def test_no_server_keeps_what_an_event_loop_cannot(environment):
    code = "from django.db import connection; print(connection.settings_dict['CONN_MAX_AGE'])"
    ages = []
    for server in ("gthread", "asgi"):
        done = subprocess.run(
            [sys.executable, "manage.py", "shell", "--no-imports", "--command", code],
            cwd=DECLARATION.parent,
            env=environment | {"SHOP_SERVER": server, "SHOP_DB_CONNECTIONS": "persistent"},
            capture_output=True,
            text=True,
            check=True,
        )
        ages.append(done.stdout.strip())
    assert ages == ["None", "0"]
