"""Customers who order something and watch how far it has come, as the shop offers it: by asking, or told.

Watching is one step, however many requests it takes: what it costs altogether is what
can be compared. It is written `WATCH`, a method that no server knows: the user's own
`request` makes of it what the shop understands. Its size is what came back on the wire,
heads included.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from timeit import default_timer  # for reports alone: no journey looks at a clock
from typing import Any

from locust import FastHttpUser, between, task
from locust.env import Environment
from websocket import WebSocket, create_connection

POLLS = 12
"""How often a customer looks until an order has moved: for a minute, every five seconds."""
PATIENCE_S = 10
STATUS_LINE = len("HTTP/1.1 200 OK\r\n\r\n")
SHORT_FRAME = 125


@dataclass
class Seen:
    """What came of watching: the last status, and what all of it weighed."""

    status_code: int
    content: bytes = b""
    exchanges: int = 0
    """Requests, and messages that came without one."""
    wire_bytes: int = 0
    headers: dict[str, str] = field(default_factory=dict)

    def add(self, heads: Iterable[tuple[str, str]], body: bytes) -> None:
        """Count an answer."""
        self.exchanges += 1
        self.wire_bytes += STATUS_LINE + sum(len(f"{name}: {value}\r\n") for name, value in heads) + len(body)

    def told(self, body: bytes) -> Seen:
        """Return this, with what was told last."""
        self.content = body
        self.headers = {"content-type": "application/json", "content-length": str(self.wire_bytes)}
        return self


class Watcher(FastHttpUser):
    """Orders one thing at a time."""

    wait_time = between(1, 3)

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.socket: WebSocket | None = None
        self.news = ""
        self.wire = self.client.request
        self.client.request = self.request  # type: ignore[method-assign]  # the hook that Locust leaves

    def on_start(self) -> None:
        """Learn what is in stock, and be one of the customers."""
        shelf = self.client.get(
            "/api/v1/products?in_stock=true&page_size=100", name="/products?in_stock"
        ).json()
        self.products = [product["id"] for product in _rows(shelf)]
        customers = self.client.get("/api/v1/customers?page_size=100", name="/customers").json()
        self.customer = _rows(customers)[0]["id"]
        self.turn = 0

    @task
    def track(self) -> None:
        """Order something, and watch it until it is on its way."""
        self.turn += 1
        line = {"product": self.products[self.turn % len(self.products)], "quantity": 1}
        body = {"customer": self.customer, "lines": [line]}
        with self.client.post("/api/v1/orders", json=body, name="/orders", catch_response=True) as answer:
            if answer.status_code == HTTPStatus.CONFLICT:  # sold out: a right answer, too
                answer.success()
            order = answer.json()["id"] if answer.status_code == HTTPStatus.CREATED else None
        if order is None:
            return
        path = f"/api/v1/orders/{order}/status"
        heads: Any = self.client.get(path, name="/orders/{id}/status").headers or {}
        found = re.search('<([^>]+)>; rel="monitor"', heads.get("link") or "")
        self.news = found[1] if found else ""
        for status in ("paid", "shipped"):
            name = f"/orders/{{id}} until {status}"
            self.client.request("WATCH", path, name=name, json={"status": status})

    def request(self, method: str, url: str, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - as Locust's
        """Send a request, or watch."""
        if method != "WATCH":
            return self.wire(method, url, *args, **options)
        wanted = options["json"]["status"]
        return self.listen(url, wanted) if self.news else self.poll(url, wanted)

    def poll(self, url: str, wanted: str) -> Seen:
        """Look again and again; before the last time the order is moved on."""
        seen = Seen(HTTPStatus.OK)
        for look in range(POLLS):
            if look == POLLS - 1:
                self.move(url, wanted, seen)
            answer = self.wire("GET", url, name="/orders/{id}/status")
            seen.add((answer.headers or {}).items(), answer.content or b"")
            if answer.status_code != HTTPStatus.OK:
                return Seen(answer.status_code)
        return seen.told(answer.content or b"")

    def listen(self, url: str, wanted: str) -> Seen:
        """Have the order moved on, and be told; the first time, connect before."""
        seen = Seen(HTTPStatus.OK)
        if self.socket is None:
            self.socket = create_connection(
                str(self.host).replace("http", "ws", 1) + self.news, timeout=PATIENCE_S
            )
            seen.add((self.socket.getheaders() or {}).items(), b"")
            self.hear(seen)
        self.move(url, wanted, seen)
        body = self.hear(seen)
        if wanted == "shipped":
            self.hang_up()
        return seen.told(body)

    def hear(self, seen: Seen) -> bytes:
        """Wait for one message, and report it as Locust reports requests."""
        if self.socket is None:
            raise ConnectionError("not connected")
        began = default_timer()
        body = bytes(self.socket.recv_data()[1])
        frame = len(body) + (2 if len(body) <= SHORT_FRAME else 4)
        seen.exchanges += 1
        seen.wire_bytes += frame
        self.environment.events.request.fire(
            request_type="WS",
            name="/orders/{id}",
            response_time=(default_timer() - began) * 1000,
            response_length=frame,
            exception=None,
            context=self.context(),
        )
        return body

    def hang_up(self) -> None:
        """Close the connection."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def move(self, url: str, wanted: str, seen: Seen) -> None:
        """Be the one who packs and sends."""
        answer = self.wire("POST", url, json={"status": wanted}, name="/orders/{id}/status moves")
        seen.add((answer.headers or {}).items(), answer.content or b"")
        if answer.status_code != HTTPStatus.OK:
            seen.status_code = answer.status_code

    def on_stop(self) -> None:
        """Leave nothing open."""
        self.hang_up()


def _rows(answer: Any) -> Any:  # noqa: ANN401 - a page or a whole list, as the pagination has it
    return (answer["results"] if isinstance(answer, dict) else answer)[:100]
