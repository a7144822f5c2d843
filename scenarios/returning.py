"""Visitors who come back to pages that they have seen, and have kept."""

from __future__ import annotations

import random
from http import HTTPStatus
from typing import Any

from locust import FastHttpUser, between, task

PAGES = 10
"""Products that a visitor has a look at now and then."""


class Returner(FastHttpUser):
    """Asks again for what it has, and says so where the shop gave it a name (ETag)."""

    wait_time = between(0.5, 2)

    def on_start(self) -> None:
        """Open some products once."""
        listed: Any = self.client.get("/api/v1/products?page_size=100", name="/products").json()
        rows = listed if isinstance(listed, list) else listed["results"]
        self.products = random.sample([row["id"] for row in rows[:100]], PAGES)
        self.tags: dict[int, str] = {}
        for product in self.products:
            self.open(product, "/products/{id}")

    @task
    def come_back(self) -> None:
        """Look whether a product is still the same."""
        self.open(random.choice(self.products), "/products/{id} again")

    def open(self, product: int, name: str) -> None:
        """Open a product, unless it is as it was."""
        kept = self.tags.get(product)
        headers = {"If-None-Match": kept} if kept else {}
        answer = self.client.get(f"/api/v1/products/{product}", name=name, headers=headers)
        if answer.status_code == HTTPStatus.OK and answer.headers and "ETag" in answer.headers:
            self.tags[product] = str(answer.headers["ETag"])
