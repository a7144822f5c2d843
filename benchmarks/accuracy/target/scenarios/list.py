"""People who look at pages of shelves: the heavier endpoint."""

from __future__ import annotations

import random

from locust import FastHttpUser, task

SHELVES, PAGES = 10, 14


class Visitor(FastHttpUser):
    """Looks at one page of one shelf after the other."""

    @task
    def look(self) -> None:
        """Look at a page."""
        shelf, page = random.randint(1, SHELVES), random.randrange(PAGES)
        self.client.get(f"/products?shelf={shelf}&page={page}", name="/products")
