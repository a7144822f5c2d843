"""Visitors who land on the best sellers and open what catches their eye: a few addresses, asked for often."""

from __future__ import annotations

import random

from locust import FastHttpUser, between, task

PAGES = 10
"""Departments that visitors look at."""


class Follower(FastHttpUser):
    """Looks at best sellers and opens one of them."""

    wait_time = between(0.5, 2)

    def on_start(self) -> None:
        """Learn the departments, and see the best sellers once."""
        nodes = self.client.get("/api/v1/categories", name="/categories").json()
        self.departments = [node["slug"] for node in nodes if node["parent"] is None][:PAGES]
        best = self.client.get("/api/v1/best-sellers", name="/best-sellers").json()
        self.products = [seller["product"]["id"] for seller in best]

    @task(2)
    def best_of_all(self) -> None:
        """Look at what sells best."""
        self.client.get("/api/v1/best-sellers", name="/best-sellers")

    @task(2)
    def best_of_department(self) -> None:
        """Look at what sells best in a department."""
        path = f"/api/v1/best-sellers?category={random.choice(self.departments)}"
        self.client.get(path, name="/best-sellers?category")

    @task(4)
    def open_product(self) -> None:
        """Open a best seller."""
        self.client.get(f"/api/v1/products/{random.choice(self.products)}", name="/products/{id}")
