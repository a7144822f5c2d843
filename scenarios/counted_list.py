"""Editors who watch the newest reviews of some kind; every page tells how many there are."""

from __future__ import annotations

import random

from locust import FastHttpUser, between, task

KINDS = ("rating=1", "rating=5", "min_rating=4", "verified=true", "verified=false&min_rating=3")


class Editor(FastHttpUser):
    """Looks at the last reviews of a kind."""

    wait_time = between(0.5, 2)

    @task
    def latest(self) -> None:
        """Look at one kind."""
        self.client.get(f"/api/v1/reviews?{random.choice(KINDS)}", name="/reviews")
