"""Tools that fetch the API's description, as code generators and gateways do."""

from __future__ import annotations

from locust import FastHttpUser, between, task


class Tool(FastHttpUser):
    """Reads the description."""

    wait_time = between(0.5, 2)

    @task
    def describe(self) -> None:
        """Read it as JSON."""
        self.client.get("/api/schema?format=json", name="/api/schema")
