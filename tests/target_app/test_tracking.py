"""Following an order: by asking, and by being told, with real servers, sockets and Redis."""

import json
import re
import subprocess
import sys
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from core.toggles import DECLARATION
from customers.models import Customer
from django.db import connection
from factories import CustomerFactory, ProductFactory
from orders.models import Order, OrderStatus
from orders.services import Item, place_order
from seeding.accounts import PASSWORD
from serving import await_ready, fetch
from tracking import services
from websocket import WebSocketBadStatusException, create_connection

WATCHERS = 6
CLOSE = 8


def status_path(order):
    return f"/api/v1/orders/{order}/status"


@pytest.fixture
def order():
    return place_order(CustomerFactory(), [Item(ProductFactory().pk, 1)]).pk


@pytest.mark.django_db
def test_an_order_moves_from_placed_to_paid_to_shipped(api, order):
    told = [api.get(status_path(order)).json()]
    for status in ("paid", "shipped"):
        told.append(api.post(status_path(order), {"status": status}, format="json").json())
        assert api.get(status_path(order)).json() == told[-1]
    assert told == [{"order": order, "status": status} for status in ("placed", "paid", "shipped")]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("before", "wanted", "code"),
    [
        ("placed", "shipped", 409),
        ("placed", "placed", 409),
        ("shipped", "cancelled", 409),
        ("cancelled", "paid", 409),
        ("paid", "cancelled", 200),
        ("placed", "lost", 400),
    ],
)
def test_no_order_moves_as_it_likes(api, order, before, wanted, code):
    Order.objects.filter(pk=order).update(status=before)
    assert api.post(status_path(order), {"status": wanted}, format="json").status_code == code
    assert Order.objects.get(pk=order).status == (wanted if code == 200 else before)


def test_every_status_is_known():
    assert set(services.NEXT) == set(OrderStatus.values)


@pytest.mark.django_db
def test_an_order_that_is_none(api):
    assert api.get(status_path(999_999)).status_code == 404
    assert api.post(status_path(999_999), {"status": "paid"}, format="json").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("choice", "link"), [("polling", None), ("websocket", '</ws/orders/{}>; rel="monitor"')]
)
def test_where_news_come_from_is_told_where_they_come_by_themselves(api, choose, order, choice, link):
    choose(updates=choice)
    told = api.get(status_path(order)).headers.get("Link") or ""
    links = [each for each in told.split(", ") if "successor-version" not in each]
    assert links == ([link.format(order)] if link else [])


@pytest.mark.django_db
@pytest.mark.parametrize("choice", ["polling", "websocket"])
def test_asking_takes_one_query(api, choose, django_assert_num_queries, order, choice):
    choose(updates=choice)
    with django_assert_num_queries(1):
        api.get(status_path(order))


@pytest.mark.django_db(transaction=True)
def test_of_movers_at_once_one_moves():
    order = place_order(CustomerFactory(), [Item(ProductFactory().pk, 1)]).pk

    def move(_):
        try:
            services.move_order(order, "paid")
        except services.WrongMoveError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(move, range(8))).count(True) == 1


@pytest.mark.django_db(transaction=True)
def test_an_order_moves_whether_or_not_redis_can_tell_of_it(choose, monkeypatch, caplog):
    def fail(*_):
        raise ConnectionError("no Redis")

    choose(updates="websocket")
    monkeypatch.setattr(services, "_tell", fail)
    order = place_order(CustomerFactory(), [Item(ProductFactory().pk, 1)]).pk
    assert services.move_order(order, "paid").status == "paid"
    assert "no Redis" in caplog.text


def test_sockets_need_an_event_loop(environment):
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=DECLARATION.parent,
        env=environment | {"SHOP_UPDATES": "websocket"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "SHOP_UPDATES='websocket' needs an event loop: set SHOP_SERVER=asgi, too" in done.stderr


def send(base, path, body):
    request = Request(f"{base}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})  # noqa: S310 - a server of ours
    with urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
        return json.loads(answer.read())


def place(base):
    """Order something that is in stock, and return the order."""
    products, customers = (
        json.loads(fetch(f"{base}/api/v1/{path}")[1])["results"]
        for path in ("products?in_stock=true&page_size=1", "customers?page_size=1")
    )
    lines = [{"product": products[0]["id"], "quantity": 1}]
    return send(base, "/api/v1/orders", {"customer": customers[0]["id"], "lines": lines})["id"]


def hear(socket):
    return json.loads(socket.recv())


def test_all_who_watch_are_told_by_whichever_worker_holds_their_connection(serve):
    base, child, log = serve(SHOP_SERVER="asgi", SHOP_UPDATES="websocket", WEB_CONCURRENCY="2")
    await_ready(base, child, log)
    order, other = place(base), place(base)
    ws = base.replace("http", "ws")
    watchers = [create_connection(f"{ws}/ws/orders/{order}", timeout=10) for _ in range(WATCHERS)]
    stranger = create_connection(f"{ws}/ws/orders/{other}", timeout=10)
    assert [hear(each) for each in watchers] == [{"order": order, "status": "placed"}] * WATCHERS
    assert hear(stranger) == {"order": other, "status": "placed"}
    for status in ("paid", "shipped"):
        send(base, status_path(order), {"status": status})
        assert [hear(each) for each in watchers] == [{"order": order, "status": status}] * WATCHERS
    for each in watchers:  # nothing more is to come
        assert each.recv_data(control_frame=True)[0] == CLOSE
    send(base, status_path(other), {"status": "cancelled"})
    assert hear(stranger) == {"order": other, "status": "cancelled"}
    assert "Traceback" not in log.read_text()


def test_whoever_comes_late_or_from_elsewhere(serve):
    base, child, log = serve(SHOP_SERVER="asgi", SHOP_UPDATES="websocket")
    await_ready(base, child, log)
    ws, order = base.replace("http", "ws"), place(base)
    send(base, status_path(order), {"status": "cancelled"})
    late = create_connection(f"{ws}/ws/orders/{order}", timeout=10)
    assert hear(late) == {"order": order, "status": "cancelled"}
    assert late.recv_data(control_frame=True) == (CLOSE, (1000).to_bytes(2, "big"))
    missing = create_connection(f"{ws}/ws/orders/999999", timeout=10)
    assert missing.recv_data(control_frame=True)[1][:2] == (4404).to_bytes(2, "big")
    with pytest.raises(WebSocketBadStatusException, match="403"):
        create_connection(f"{ws}/ws/orders/{order}", timeout=10, origin="http://elsewhere.example")
    assert re.search("Traceback|ERROR", log.read_text()) is None


def test_without_sockets_their_address_is_none(serve):
    base, child, log = serve(SHOP_SERVER="asgi")
    await_ready(base, child, log)
    order = place(base)
    assert json.loads(fetch(f"{base}{status_path(order)}")[1]) == {"order": order, "status": "placed"}
    with pytest.raises(WebSocketBadStatusException, match="404"):
        create_connection(f"{base.replace('http', 'ws')}/ws/orders/{order}", timeout=10)
    with pytest.raises(HTTPError, match="404"):
        fetch(f"{base}/ws/orders/{order}")
    assert "Traceback" not in log.read_text()


def test_an_order_is_told_to_its_customer_and_to_staff_alone(serve):
    """Seeded order and logins; with `auth=none` it is told to whoever asks, see above."""
    base, child, log = serve(SHOP_SERVER="asgi", SHOP_UPDATES="websocket", SHOP_AUTH="token")
    await_ready(base, child, log)
    customer = Customer.objects.filter(user__isnull=False, orders__isnull=False).order_by("pk").first()
    order, ws = customer.orders.order_by("pk").first().pk, base.replace("http", "ws")
    other = Customer.objects.filter(user__isnull=False).exclude(pk=customer.pk).first()

    def watch(**headers):
        return create_connection(f"{ws}/ws/orders/{order}", timeout=10, header=headers)

    def shown(name):
        return send(base, "/api/v2/login", {"username": name, "password": PASSWORD})["authorization"]

    told = [hear(watch(Authorization=shown(f"customer-{customer.pk}")))["order"]]
    told += [hear(watch(Authorization=f"Basic {b64encode(f'staff:{PASSWORD}'.encode()).decode()}"))["order"]]
    assert told == [order, order]
    for headers in ({}, {"Authorization": shown(f"customer-{other.pk}")}, {"Authorization": "Token 0123"}):
        assert watch(**headers).recv_data(control_frame=True)[1][:2] == (4404).to_bytes(2, "big")
    assert "Traceback" not in log.read_text()
