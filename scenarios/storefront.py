"""Visitors of the pages that the shop renders: its home, then one category after the other."""

from __future__ import annotations

import random
from typing import Any

from locust import FastHttpUser, between, task

SKEW = 1.2
"""Exponent of the Pareto-like draw: a few categories get most visits."""


class Passerby(FastHttpUser):
    """Comes in by the home page, and looks through categories."""

    wait_time = between(0.5, 2)

    def on_start(self) -> None:
        """Learn which categories there are."""
        categories: Any = self.client.get("/api/v1/categories", name="/categories").json()
        self.slugs = [category["slug"] for category in categories]

    @task(1)
    def come_in(self) -> None:
        """Open the home page."""
        self.client.get("/shop", name="/shop")

    @task(5)
    def open_category(self) -> None:
        """Open a category, a popular one most of the time."""
        slug = self.slugs[int(random.paretovariate(SKEW) - 1) % len(self.slugs)]
        self.client.get(f"/shop/{slug}", name="/shop/{category}")
