"""One flash sale: what is on sale, who buys at once, and what must be true afterwards."""

from __future__ import annotations

import http.client
import json
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import psycopg2

PRODUCTS = 6
STOCK = 40
"""Of each: about half of what is asked for."""
MOST_PIECES = 2
SLUG = "flash-sale-"
TIMEOUT_S = 60
WATCH_S = 0.05
PAPERS = ("orders_invoice", "orders_confirmation")
CREATED, CONFLICT = 201, 409


@dataclass(frozen=True)
class Counts:
    """What came of a sale."""

    asked: int
    answered: int
    """Orders that the server said it took."""
    refused: int
    """Sold out (409)."""
    failed: list[str]
    """Every other answer, or none."""
    kept: int
    """Orders of these products in the database."""
    wrong: int
    """Orders whose lines or total are not what was ordered, and those that nobody was told of."""
    units_sold: int
    """In lines of orders."""
    units_stocked: int
    stock_left: int
    least_stock: int
    """Of any product, seen at any moment."""
    invoices: int
    confirmations: int
    papers_twice: int
    """Orders with more than one of either."""
    open_tasks: int
    tried_again: int
    """Tasks that needed more than one attempt."""
    killed: int
    sent_again: int
    """Tasks that `resend_tasks` had to bring back, as the broker lost their messages."""
    stale_pages: int
    """Products whose page shows another stock than the database has, after all is over."""


def problems(counts: Counts, choices: dict[str, str]) -> list[str]:
    """Return what is wrong with a sale; nothing where all is right."""
    told = {
        "answers that are neither": len(counts.failed),
        "orders lost or doubled": counts.kept - counts.answered,
        "orders that are not as ordered": counts.wrong,
        "units sold beyond the stock": counts.units_sold + counts.stock_left - counts.units_stocked,
        "stock below zero": min(counts.least_stock, counts.stock_left, 0),
        "invoices missing or too many": counts.invoices - counts.kept,
        "confirmations missing or too many": counts.confirmations - counts.kept,
        "orders with two papers of a kind": counts.papers_twice,
        "tasks that never ended": counts.open_tasks,
        "answers missing": counts.asked - counts.answered - counts.refused - len(counts.failed),
    }
    if choices["cache"] == "off" or (choices["cache"], choices["invalidation"]) == ("aside", "versioned"):
        told["pages that are not as the database says"] = counts.stale_pages
    return [f"{what}: {number}" for what, number in told.items() if number]


@dataclass
class Sale:
    """A sale at one server.

    Args:
        base_url: of the server.
        database_url: of its PostgreSQL.
        orders: how many are tried.
        clients: how many try at the same time.
    """

    base_url: str
    database_url: str
    orders: int = 240
    clients: int = 12
    products: dict[int, Any] = field(default_factory=dict)
    """Price by key."""
    customers: list[int] = field(default_factory=list)
    taken: dict[int, dict[int, int]] = field(default_factory=dict)
    """Pieces by product, by order: what the server said yes to."""
    refused: int = 0
    failed: list[str] = field(default_factory=list)
    least_stock: int = STOCK
    over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def prepared(self) -> Iterator[None]:
        """Put products on sale that nobody else orders, and take them away again."""
        self._forget()
        self._run(
            "INSERT INTO catalogue_product (category_id, brand_id, name, slug, description, price, stock,"
            " is_active, rating, review_count, created_at)"
            " SELECT category_id, brand_id, name, %s || id, description, price, %s, true, 0, 0, created_at"
            " FROM catalogue_product ORDER BY id LIMIT %s",
            (SLUG, STOCK, PRODUCTS),
        )
        rows = self._run("SELECT id, price FROM catalogue_product WHERE slug LIKE %s", (f"{SLUG}%",))
        self.products = dict(rows)
        self.customers = [row[0] for row in self._run("SELECT id FROM customers_customer LIMIT 50")]
        try:
            yield
        finally:
            self._forget()

    def run(self) -> None:
        """Let all clients order at once while others look at the products; return when all are answered."""
        watcher = threading.Thread(target=self._watch, daemon=True)
        watcher.start()
        with ThreadPoolExecutor(self.clients + 2) as pool:
            lookers = [pool.submit(self._look, number) for number in range(2)]
            buyers = [pool.submit(self._buy, number) for number in range(self.clients)]
            try:
                self.refused = sum(each.result() for each in buyers)
            finally:
                self.over.set()
            for each in lookers:
                each.result()
        watcher.join()

    def open_tasks(self) -> int:
        """Return how many orders still wait for their papers."""
        return int(
            self._one(
                "SELECT count(*) FROM background_taskrun"
                " WHERE task = 'confirm_order' AND subject IN %s AND state NOT IN ('done', 'dead')"
            )
        )

    def count(self, *, killed: int = 0, sent_again: int = 0) -> Counts:
        """Return what came of it."""
        stocks = dict(self._run("SELECT id, stock FROM catalogue_product WHERE slug LIKE %s", (f"{SLUG}%",)))
        kept = {row[0] for row in self._run(_ORDERS, (tuple(self.products),))}
        return Counts(
            asked=self.orders,
            answered=len(self.taken),
            refused=self.refused,
            failed=self.failed,
            kept=len(kept),
            wrong=self._wrong(kept),
            units_sold=int(
                self._run(
                    "SELECT coalesce(sum(quantity), 0) FROM orders_orderline WHERE product_id IN %s",
                    (tuple(self.products),),
                )[0][0]
            ),
            units_stocked=STOCK * len(self.products),
            stock_left=sum(stocks.values()),
            least_stock=self.least_stock,
            invoices=int(self._one("SELECT count(*) FROM orders_invoice WHERE order_id IN %s")),
            confirmations=int(self._one("SELECT count(*) FROM orders_confirmation WHERE order_id IN %s")),
            papers_twice=sum(int(self._one(_TWICE.format(table))) for table in PAPERS),
            open_tasks=self.open_tasks(),
            tried_again=int(
                self._one(
                    "SELECT count(*) FROM background_taskrun"
                    " WHERE task = 'confirm_order' AND subject IN %s AND attempts > 1"
                )
            ),
            killed=killed,
            sent_again=sent_again,
            stale_pages=sum(self._shown(product) != stock for product, stock in stocks.items()),
        )

    def _buy(self, number: int) -> int:
        """Try a share of the orders; return how many were refused, as all was sold out."""
        draw, refused = random.Random(number), 0
        with closing(self._connect()) as connection:
            for _ in range(number, self.orders, self.clients):
                wanted = {
                    product: draw.randint(1, MOST_PIECES)
                    for product in draw.sample(sorted(self.products), draw.randint(1, 3))
                }
                lines = [{"product": product, "quantity": count} for product, count in wanted.items()]
                body = json.dumps({"customer": draw.choice(self.customers), "lines": lines})
                try:
                    status, told = _ask(connection, "POST", "/api/v2/orders", body)
                except (OSError, http.client.HTTPException) as error:
                    self.failed.append(repr(error))
                    connection.close()
                    continue
                if status == CREATED:
                    self.taken[json.loads(told)["id"]] = wanted
                elif status == CONFLICT:
                    refused += 1
                else:
                    self.failed.append(f"{status} {told[:200]!r}")
        return refused

    def _look(self, number: int) -> None:
        """Look at the products, so that caches are filled while orders change what they hold."""
        draw = random.Random(1_000 + number)
        with closing(self._connect()) as connection:
            while not self.over.wait(0.01):
                status, _ = _ask(connection, "GET", f"/api/v2/products/{draw.choice(sorted(self.products))}")
                if status != http.client.OK:
                    self.failed.append(f"a page: {status}")

    def _watch(self) -> None:
        with closing(psycopg2.connect(self.database_url)) as server, server.cursor() as cursor:
            server.autocommit = True
            while not self.over.wait(WATCH_S):
                cursor.execute(
                    "SELECT min(stock) FROM catalogue_product WHERE id IN %s", (tuple(self.products),)
                )
                self.least_stock = min(self.least_stock, cursor.fetchone()[0])

    def _wrong(self, kept: set[int]) -> int:
        """Return how many orders differ from what the server said yes to."""
        lines: dict[int, dict[int, int]] = {}
        totals: dict[int, Any] = {}
        for order, product, quantity, total in self._run(_LINES, (tuple(kept or {0}),)):
            lines.setdefault(order, {})[product] = quantity
            totals[order] = total
        return sum(
            lines.get(order) != wanted
            or totals.get(order) != sum(self.products[product] * count for product, count in wanted.items())
            for order, wanted in self.taken.items()
        ) + len(kept - set(self.taken))

    def _shown(self, product: int) -> int:
        with closing(self._connect()) as connection:
            return int(json.loads(_ask(connection, "GET", f"/api/v2/products/{product}")[1])["stock"])

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(urlsplit(self.base_url).netloc, timeout=TIMEOUT_S)

    def _one(self, statement: str) -> Any:  # noqa: ANN401 - as the column is
        """Return one value about the orders of this sale."""
        kept = tuple(row[0] for row in self._run(_ORDERS, (tuple(self.products),)))
        return self._run(statement, (kept or (0,),))[0][0]

    def _forget(self) -> None:
        """Remove the sale's rows, and what hangs on them."""
        found = self._run("SELECT id FROM catalogue_product WHERE slug LIKE %s", (f"{SLUG}%",))
        products = tuple(row[0] for row in found) or (0,)
        orders = tuple(row[0] for row in self._run(_ORDERS, (products,))) or (0,)
        for table, column in (
            ("orders_invoice", "order_id"),
            ("orders_confirmation", "order_id"),
            ("orders_orderline", "order_id"),
            ("orders_order", "id"),
        ):
            self._run(f"DELETE FROM {table} WHERE {column} IN %s", (orders,))  # noqa: S608 - names of ours
        self._run("DELETE FROM background_taskrun WHERE task = 'confirm_order' AND subject IN %s", (orders,))
        self._run("DELETE FROM catalogue_product WHERE id IN %s", (products,))

    def _run(self, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with closing(psycopg2.connect(self.database_url)) as server, server, server.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []


_ORDERS = "SELECT DISTINCT order_id FROM orders_orderline WHERE product_id IN %s"
_TWICE = (
    "SELECT count(*) FROM"
    " (SELECT order_id FROM {} WHERE order_id IN %s GROUP BY order_id HAVING count(*) > 1) AS twice"
)
_LINES = (
    "SELECT line.order_id, line.product_id, line.quantity, placed.total"
    " FROM orders_orderline AS line JOIN orders_order AS placed ON placed.id = line.order_id"
    " WHERE line.order_id IN %s"
)


def _ask(
    connection: http.client.HTTPConnection, method: str, path: str, body: str | None = None
) -> tuple[int, bytes]:
    headers = {"Content-Type": "application/json"} if body else {}
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.read()
