"""The scenario of the generator's benchmarks: users who ask for one thing.

CLIENT chooses among our client and Locust's: lean (ours), fast, http.
"""

import os

from locust import FastHttpUser, HttpUser, User, constant_throughput, task

from loadstone.workload.client import LeanHttpUser

PER_USER = float(os.environ.get("PER_USER", "1"))
KINDS: dict[str, type[User]] = {"lean": LeanHttpUser, "fast": FastHttpUser, "http": HttpUser}


class Asking(KINDS[os.environ.get("CLIENT", "lean")]):  # type: ignore[misc]  # chosen at run time
    """Asks again and again; its wait time counts in Locust's own runner only."""

    wait_time = constant_throughput(PER_USER)

    @task
    def ask(self) -> None:
        """Ask once."""
        self.client.get("/", name="/")
