"""Analysts who ask for a report of sales, look around meanwhile, and fetch it later."""

from __future__ import annotations

import random
from typing import Any

from locust import FastHttpUser, between, task


class Analyst(FastHttpUser):
    """Asks for reports and reads lists: who makes a report is not for it to know."""

    wait_time = between(1, 3)

    def on_start(self) -> None:
        """Learn the departments, and ask for the first report."""
        listed: Any = self.client.get("/api/v1/categories?page_size=100", name="/categories").json()
        rows = listed if isinstance(listed, list) else listed["results"]
        self.departments = [row["slug"] for row in rows if row["parent"] is None]
        self.asked: list[int] = []
        self.ask()

    @task(1)
    def ask(self) -> None:
        """Ask for a report of one department, or of everything."""
        wanted = {"category": random.choice([*self.departments, ""])}
        answer = self.client.post("/api/v1/exports", json=wanted, name="/exports")
        if answer.ok:
            self.asked.append(answer.json()["id"])

    @task(2)
    def look(self) -> None:
        """Read a list of products."""
        self.client.get(f"/api/v1/products?category={random.choice(self.departments)}", name="/products")

    @task(1)
    def fetch(self) -> None:
        """Fetch the report that was asked for last; 202 where it is still to be made."""
        if self.asked:
            self.client.get(f"/api/v1/exports/{self.asked[-1]}/file", name="/exports/{id}/file")
