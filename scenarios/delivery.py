"""Visitors who ask what delivery to their country costs: the shop asks somebody else, and waits."""

from __future__ import annotations

import random

from locust import FastHttpUser, between, task

COUNTRIES = ("AT", "BE", "CZ", "DE", "DK", "ES", "FI", "FR", "IT", "NL", "NO", "PL", "SE")


class Asker(FastHttpUser):
    """Asks for a quote."""

    wait_time = between(0.5, 2)

    @task
    def ask(self) -> None:
        """Ask about one country."""
        self.client.get(f"/api/v1/delivery?country={random.choice(COUNTRIES)}", name="/delivery")
