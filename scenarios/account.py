"""Customers who log in once and then look at their accounts."""

from __future__ import annotations

import random

from locust import FastHttpUser, between, task

ACCOUNTS = 20
PASSWORD = "shop-demo"  # noqa: S105 - what the seed gives its demonstration accounts


class Owner(FastHttpUser):
    """Logs in, and shows what it was given with every request."""

    wait_time = between(0.5, 2)

    def on_start(self) -> None:
        """Log in as one of the customers who can."""
        self.customer = random.randint(1, ACCOUNTS)
        login = {"username": f"customer-{self.customer}", "password": PASSWORD}
        answer = self.client.post("/api/v1/login", json=login, name="/login")
        given = answer.json().get("authorization") if answer.status_code else None
        self.headers = {"Authorization": given} if given else {}

    @task
    def look(self) -> None:
        """Look at the account."""
        path = f"/api/v1/account?customer={self.customer}"
        self.client.get(path, name="/account", headers=self.headers)
