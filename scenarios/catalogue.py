"""Visitors who leaf through the catalogue and now and then open a product."""

from __future__ import annotations

import random
from http import HTTPStatus
from typing import Any

from locust import FastHttpUser, between, task

START = "/api/v1/products?ordering=-id"
PAGES = 10
"""How many pages a visitor looks at before starting again."""


class Visitor(FastHttpUser):
    """Leafs through the list, the newest entries first."""

    wait_time = between(0.5, 2)

    def on_start(self) -> None:
        """Begin at the list's start."""
        self.path, self.page = START, 0
        self.seen: list[int] = []

    @task(8)
    def leaf_through(self) -> None:
        """Look at the next page of products."""
        response = self.client.get(self.path, name="/products")
        if response.status_code != HTTPStatus.OK:
            return
        body: Any = response.json()
        rows = body if isinstance(body, list) else body["results"]
        self.seen = [row["id"] for row in rows[:20]]
        following = None if isinstance(body, list) else body["next"]
        self.page = (self.page + 1) % PAGES
        self.path = following if following and self.page else START

    @task(1)
    def open_product(self) -> None:
        """Open one of the products seen last."""
        if self.seen:
            self.client.get(f"/api/v1/products/{random.choice(self.seen)}", name="/products/{id}")
