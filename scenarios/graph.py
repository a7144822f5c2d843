"""Screens of an app that ask the graph for exactly what they show."""

from __future__ import annotations

import random
from typing import Any

from locust import FastHttpUser, between, task

PRODUCTS = """query Products($offset: Int!) {
  products(first: 20, offset: $offset) {
    id name price rating reviewCount
    brand { name slug }
    category { name parent { name } }
    tags
    reviews(first: 3) { rating title author { name } }
  }
}"""
PRODUCT = """query Product($id: Int!) {
  product(id: $id) {
    id name description price stock rating reviewCount
    brand { name products(first: 5) { id name } }
    category { name parent { name parent { name } } }
    tags
    reviews(first: 5) { rating title body createdAt author { name country } }
  }
}"""
PAGES = 10
"""How far visitors scroll."""


class App(FastHttpUser):
    """Scrolls through products, and opens one."""

    wait_time = between(0.5, 2)

    def on_start(self) -> None:
        """See the first page."""
        self.seen: list[int] = []
        self.scroll()

    @task(4)
    def scroll(self) -> None:
        """Look at a page of products."""
        found = self.ask("products", PRODUCTS, offset=20 * random.randrange(PAGES))
        self.seen = [row["id"] for row in found["products"]] or self.seen

    @task(2)
    def open_product(self) -> None:
        """Open a product that was seen."""
        if self.seen:
            self.ask("product", PRODUCT, id=random.choice(self.seen))

    def ask(self, screen: str, query: str, **variables: int) -> Any:  # noqa: ANN401 - what the query asks for
        """Ask the graph; an answer that tells of errors is a failure, whatever its status."""
        body = {"query": query, "variables": variables}
        name = f"/graphql/ {screen}"
        with self.client.post("/graphql/", json=body, name=name, catch_response=True) as response:
            told: Any = response.json() if response.text else {}
            if "errors" in told:
                response.failure(told["errors"][0]["message"])
            return told.get("data") or {"products": []}
