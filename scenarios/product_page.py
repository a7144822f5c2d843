"""Visitors who come straight to a product, by somebody's link, and read what others think of it."""

from __future__ import annotations

import random
from typing import Any

from locust import FastHttpUser, between, task

KNOWN = 100
"""Products that links lead to."""
SKEW = 1.3
"""Exponent of the Pareto-like draw: a few products get most visits."""


class Arrival(FastHttpUser):
    """Opens a product, and now and then its reviews."""

    wait_time = between(0.5, 2)

    def on_start(self) -> None:
        """Learn where links lead to: the most reviewed products first."""
        path = f"/api/v1/products?ordering=-review_count&page_size={KNOWN}"
        listed: Any = self.client.get(path, name="/products").json()
        rows = listed if isinstance(listed, list) else listed["results"]
        self.products = [row["id"] for row in rows[:KNOWN]]

    def draw(self) -> int:
        """Return a product, a popular one most of the time."""
        return int(self.products[int(random.paretovariate(SKEW) - 1) % len(self.products)])

    @task(4)
    def open_product(self) -> None:
        """Open a product."""
        self.client.get(f"/api/v1/products/{self.draw()}", name="/products/{id}")

    @task(1)
    def read_reviews(self) -> None:
        """Read a product's newest reviews."""
        self.client.get(f"/api/v1/products/{self.draw()}/reviews", name="/products/{id}/reviews")
