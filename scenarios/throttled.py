"""A client that asks for small things in quick succession, so that counting it is a good part of the work."""

from __future__ import annotations

import random

from locust import FastHttpUser, constant, task


class Client(FastHttpUser):
    """Looks up brands."""

    wait_time = constant(0.01)

    def on_start(self) -> None:
        """Learn the brands."""
        self.brands = [brand["slug"] for brand in self.client.get("/api/v1/brands", name="/brands").json()]

    @task
    def brand(self) -> None:
        """Look up one brand."""
        self.client.get(f"/api/v1/brands/{random.choice(self.brands)}", name="/brands/{slug}")
