"""The scenario of the generator's benchmarks: users who ask for one thing.

CLIENT chooses among Locust's clients and ours: lean (ours), fast, http.
"""

import importlib.util
import os

from locust import FastHttpUser, HttpUser, User, constant_throughput, task

PER_USER = float(os.environ.get("PER_USER", "1"))
LEAN = "loadstone.workload.client"
KINDS: dict[str, type[User]] = {"fast": FastHttpUser, "http": HttpUser}
if importlib.util.find_spec(LEAN):
    KINDS = {"lean": importlib.import_module(LEAN).LeanHttpUser, **KINDS}


class Asking(KINDS[os.environ.get("CLIENT", next(iter(KINDS)))]):  # type: ignore[misc]  # chosen at run time
    """Asks again and again; its wait time counts in Locust's own runner only."""

    wait_time = constant_throughput(PER_USER)

    @task
    def ask(self) -> None:
        """Ask once."""
        self.client.get("/", name="/")
