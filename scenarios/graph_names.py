"""A suggestion box that asks the graph for names and prices, and for nothing that belongs to them."""

from __future__ import annotations

import random

from locust import FastHttpUser, between, task

NAMES = "query Names($offset: Int!) { products(first: 20, offset: $offset) { id name price } }"
PAGES = 10


class Typist(FastHttpUser):
    """Looks names up."""

    wait_time = between(0.5, 2)

    @task
    def suggest(self) -> None:
        """Look up a few."""
        body = {"query": NAMES, "variables": {"offset": 20 * random.randrange(PAGES)}}
        self.client.post("/graphql/", json=body, name="/graphql/ names")
