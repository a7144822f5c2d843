"""Customers who order, and then look at the confirmation and the invoice of their order."""

from __future__ import annotations

import random
from http import HTTPStatus
from typing import Any

from locust import FastHttpUser, between, task

SHELF = "/api/v1/products?in_stock=true&page_size=100&ordering="
MOST_LINES = 4


class ConfirmedCustomer(FastHttpUser):
    """Looks at products, orders some, and reads what it gets for that."""

    wait_time = between(1, 3)

    def on_start(self) -> None:
        """Learn what is in stock, and be one of the customers."""
        ordering = random.choice(("id", "-id"))
        shelf = self.client.get(SHELF + ordering, name="/products?in_stock").json()
        self.products = [product["id"] for product in _rows(shelf)]
        customers = self.client.get("/api/v1/customers?page_size=100", name="/customers").json()
        self.customer = random.choice(_rows(customers))["id"]
        self.orders: list[int] = []

    @task(2)
    def look(self) -> None:
        """Look at a product."""
        self.client.get(f"/api/v1/products/{random.choice(self.products)}", name="/products/{id}")

    @task(2)
    def order(self) -> None:
        """Order one to four products; some of them may be sold out by then, which is a right answer too."""
        chosen = random.sample(self.products, random.randint(1, min(MOST_LINES, len(self.products))))
        lines = [{"product": product, "quantity": random.randint(1, 2)} for product in chosen]
        body = {"customer": self.customer, "lines": lines}
        with self.client.post("/api/v1/orders", json=body, name="/orders", catch_response=True) as response:
            if response.status_code == HTTPStatus.CREATED:
                self.orders.append(response.json()["id"])
            if response.status_code in {HTTPStatus.CREATED, HTTPStatus.CONFLICT}:
                response.success()

    @task(1)
    def read(self) -> None:
        """Read the papers of the latest order; 202 where they are still to be made."""
        if self.orders:
            path = f"/api/v1/orders/{self.orders[-1]}"
            self.client.get(f"{path}/confirmation", name="/orders/{id}/confirmation")
            self.client.get(f"{path}/invoice", name="/orders/{id}/invoice")


def _rows(answer: Any) -> Any:  # noqa: ANN401 - a page or a whole list, as the pagination has it
    return (answer["results"] if isinstance(answer, dict) else answer)[:100]
