"""People who open products: the lighter endpoint."""

from __future__ import annotations

import random

from locust import FastHttpUser, task

PRODUCTS = 2_000


class Visitor(FastHttpUser):
    """Opens one product after the other."""

    @task
    def open_product(self) -> None:
        """Open a product."""
        self.client.get(f"/products/{random.randint(1, PRODUCTS)}", name="/products/{id}")
