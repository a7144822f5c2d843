"""An analyst who reads all complaints, page after page, as exports and crawlers do."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from locust import FastHttpUser, constant, task

START = "/api/v1/reviews?rating=1&page_size=200"


class Reader(FastHttpUser):
    """Follows the link to the next page until there is none, then starts again."""

    wait_time = constant(0)

    def on_start(self) -> None:
        """Begin with the first page."""
        self.path = START

    @task
    def next_page(self) -> None:
        """Read one page."""
        response = self.client.get(self.path, name="/reviews")
        if response.status_code != HTTPStatus.OK:
            self.path = START
            return
        page: Any = response.json()
        following = page["next"] if isinstance(page, dict) else None
        self.path = following or START
