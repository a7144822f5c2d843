"""Under offered load too, stock users ask nobody but the host under test."""

import os
import subprocess
from pathlib import Path

import pytest
import requests

from loadstone.workload.crew_start import start_load_generator
from loadstone.workload.load_protocol import OpenSides, RunBlock

TOKEN = "held-test"


def seen(sides, path: str) -> list[int]:
    """Return how often each side's server was asked for `path`."""
    return [requests.get(f"{side.base_url}/seen", timeout=10).json().get(path, 0) for side in sides]


@pytest.mark.parametrize("client", ["HttpUser", "FastHttpUser"])
def test_absolute_urls_and_redirects_do_not_leave_the_host(tmp_path: Path, sides, client):
    scenario = tmp_path / "astray.py"
    scenario.write_text(f"""
from locust import {client}, task

class Astray({client}):
    host = "{sides[1].base_url}"

    @task
    def look(self):
        self.client.get("/offered-home-{client}")
        self.client.get("/away")
        self.client.get("{sides[1].base_url}/stray")
""")
    environment = {**os.environ, "LOADSTONE_RUN": TOKEN, "http_proxy": sides[1].base_url}
    with start_load_generator(
        lambda argv: subprocess.Popen(argv, env=environment, stderr=subprocess.DEVNULL), TOKEN
    ) as generator:
        generator.load(scenario)
        generator.open_sides(
            OpenSides(sides=sides[:1], key=[1, "load"], users=4, most_users=50, most_backlog=500)
        )
        order = RunBlock(
            side=0, rate="20", start_s=0.0, stop_s=1.0, key=[1, "load"], drain_s=10.0, shares=[(0, 1, 0)]
        )
        done, _, _ = generator.run(order, lambda *_: True)
    assert seen(sides, "/stray") == [0, 0]
    assert seen(sides, f"/offered-home-{client}")[0] == done.due > 0
    assert seen(sides, f"/offered-home-{client}")[1] == 0
    assert "the host under test" in done.first_error
