"""Visitors who wait for as long as the fault wants; a scenario to be filled in."""

import random

from locust import FastHttpUser, task


class Visitor(FastHttpUser):
    network_timeout = connection_timeout = PATIENCE_S  # noqa: F821 - filled in

    @task
    def browse(self):
        self.client.get(f"/page/{random.randint(1, 99)}", name="/page")
