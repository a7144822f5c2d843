"""Visitors who narrow the catalogue down: by category, brand or stock, in an order of their choice."""

from __future__ import annotations

import random

from locust import FastHttpUser, between, task

ORDERINGS = ("price", "-price", "-rating", "-created_at")
NEWEST = ("-created_at", "created_at")
MOST_VISITED = 20
"""Categories and brands have Zipf-like sizes, the largest first: visitors look where there is most."""


class Chooser(FastHttpUser):
    """Filters and sorts."""

    wait_time = between(0.5, 2)

    def on_start(self) -> None:
        """Learn the leaves of the category tree, and the brands."""
        nodes = self.client.get("/api/v1/categories", name="/categories").json()
        parents = {node["parent"] for node in nodes}
        self.categories = [node["slug"] for node in nodes if node["id"] not in parents][:MOST_VISITED]
        brands = self.client.get("/api/v1/brands", name="/brands").json()
        self.brands = [brand["slug"] for brand in brands][:MOST_VISITED]

    @task(2)
    def available(self) -> None:
        """Look at what is in stock and well rated, in the whole shop."""
        wish = f"in_stock=true&min_rating={random.choice((3, 4))}&ordering={random.choice(NEWEST)}"
        self.client.get(f"/api/v1/products?{wish}", name="/products?in_stock")

    @task(3)
    def within_category(self) -> None:
        """Sort what a category has."""
        wish = f"category={random.choice(self.categories)}&ordering={random.choice(ORDERINGS)}"
        self.client.get(f"/api/v1/products?{wish}", name="/products?category")

    @task(2)
    def of_brand(self) -> None:
        """Sort what a brand makes."""
        wish = f"brand={random.choice(self.brands)}&ordering={random.choice(ORDERINGS)}"
        self.client.get(f"/api/v1/products?{wish}", name="/products?brand")
