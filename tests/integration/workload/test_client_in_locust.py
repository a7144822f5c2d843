"""The lean user where others meet it: under Locust's own command, and in a comparison's lockstep."""

import csv
import os
import subprocess
import sys
import textwrap

import pytest
from lean import gunicorn

from loadstone.record.observations import Outcome, rows_from_bytes

FILE = """
from locust import between, events, tag, task
from loadstone.workload.client import LeanHttpUser

class Visitor(LeanHttpUser):
    wait_time = between(0.01, 0.02)

    def on_start(self):
        self.client.post("/echo", json={"login": 1}, name="/login")

    @task(3)
    def look(self):
        self.client.get("/json", name="/json", check=lambda answer: answer.json()["id"] == 7)

    @tag("broken")
    @task
    def fail(self):
        self.client.get("/status/500", name="/broken")

class Busy(LeanHttpUser):
    @task
    def hurry(self):
        self.client.get("/json", name="/busy")
"""


@pytest.fixture(scope="module")
def url():
    with gunicorn("--worker-class", "gthread", "--threads", "4", "--keep-alive", "60") as found:
        yield found


def test_locusts_own_command_runs_it_and_shows_its_requests(url, tmp_path):
    (tmp_path / "locustfile.py").write_text(FILE)
    argv = [sys.executable, "-m", "locust", "-f", "locustfile.py", "--headless", "--host", url]
    argv += ["-u", "4", "-r", "4", "-t", "3s", "--csv", "out", "--exit-code-on-error", "0"]
    environment = {**os.environ, "PYTHONPATH": ""}
    done = subprocess.run(
        argv, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Traceback" not in done.stderr
    with (tmp_path / "out_stats.csv").open() as file:
        rows = {row["Name"]: row for row in csv.DictReader(file)}
    counts = {name: (int(row["Request Count"]), int(row["Failure Count"])) for name, row in rows.items()}
    assert counts["/login"][0] == 2
    assert counts["/json"][0] > 0 == counts["/json"][1]
    assert counts["/broken"][0] == counts["/broken"][1] > 0
    assert counts["/busy"][0] > counts["/json"][0]  # one has no think time


def test_a_comparison_walks_it_in_pairs(sides, generator_of, run_pairs):
    scenario = """
        from locust import task
        from loadstone.workload.client import LeanHttpUser

        class Visitor(LeanHttpUser):
            @task
            def walk(self):
                page = self.client.get("/list?n=1", name="/list").json()
                self.client.get(page["next"], name="/page")
                with self.client.get("/ok", catch_response=True) as answer:
                    answer.failure("no")
                self.client.get("/hang", name="/hang", timeout=0.05)
                self.client.get("/away", name="/away")
    """
    with generator_of(textwrap.dedent(scenario)) as generator:
        done = run_pairs(generator, sides, max_pairs=25)
    rows = rows_from_bytes(done.rows)
    outcomes = {done.steps[row["step"]]: Outcome(row["outcome"]) for row in rows}
    assert outcomes == {
        "GET /list": Outcome.OK, "GET /page": Outcome.OK, "GET /ok": Outcome.CHECK_FAILED,
        "GET /hang": Outcome.TIMEOUT, "GET /away": Outcome.OK,
    }  # fmt: skip
    assert set(rows["paired"]) == {1}
