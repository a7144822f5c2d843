"""Visitors who search for words, some common and some rare."""

from __future__ import annotations

import random

from locust import FastHttpUser, between, task

KINDS = ("quiet", "folding", "oak", "steel", "linen", "compact", "classic", "brass")
THINGS = ("lamp", "kettle", "chair", "tent", "desk", "shelf", "clock", "hammer", "vase", "torch")


class Seeker(FastHttpUser):
    """Searches."""

    wait_time = between(0.5, 2)

    @task(3)
    def two_words(self) -> None:
        """Search for a thing of a kind."""
        words = f"{random.choice(KINDS)}+{random.choice(THINGS)}"
        self.client.get(f"/api/v1/search?q={words}", name="/search two words")

    @task(1)
    def phrase(self) -> None:
        """Search for three words, of which the last must not occur."""
        words = f"{random.choice(KINDS)}+{random.choice(THINGS)}+-{random.choice(THINGS)}"
        self.client.get(f"/api/v1/search?q={words}", name="/search three words")
