"""The closed model runs locustfiles as their authors wrote them."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest
import requests as http

from loadstone.record.observations import Outcome
from loadstone.record.recording import Recording
from loadstone.workload.crew_start import start_load_generator
from loadstone.workload.load_protocol import BlockDone, RunCrowd
from loadstone.workload.load_remote import LoadGenerator

TOKEN = "crowd-test"


@pytest.fixture
def run(tmp_path: Path, sides):
    """Run a locustfile's text in the closed model; return how it went and what was recorded."""

    def run(text: str, **changes: object) -> tuple[BlockDone, Recording]:
        locustfile = tmp_path / "locustfile.py"
        locustfile.write_text(dedent(text))
        order = {
            "base_url": sides[0].base_url,
            "users": 4,
            "spawn_rate": 100.0,
            "seconds": 1.5,
            "key": [1, "load", 0],
            "tags": [],
            "exclude_tags": [],
        }
        with _generator() as generator:
            generator.load(locustfile)
            done, requests, _ = generator.run(RunCrowd(**{**order, **changes}), lambda *_: True)
        return done, requests

    return run


def _generator() -> Iterator[LoadGenerator]:
    environment = {**os.environ, "LOADSTONE_RUN": TOKEN}
    return start_load_generator(
        lambda argv: subprocess.Popen(argv, env=environment, stderr=subprocess.DEVNULL), TOKEN
    )


def seen(sides, path: str) -> list[int]:
    """Return how often each side's server was asked for `path`."""
    return [http.get(f"{side.base_url}/seen", timeout=10).json().get(path, 0) for side in sides]


def names(requests: Recording) -> set[str]:
    return {key.endpoint for key in requests.cells}


def test_a_quickstart_with_weights_names_and_wait_times(run):
    done, requests = run(
        """
        import time
        from locust import HttpUser, between, task

        class QuickstartUser(HttpUser):
            wait_time = between(0.01, 0.02)

            def on_start(self):
                self.client.post("/login", json={"username": "foo", "password": "bar"})

            @task
            def hello_world(self):
                self.client.get("/hello")
                self.client.get("/world")

            @task(3)
            def view_items(self):
                for item_id in range(3):
                    self.client.get(f"/item?id={item_id}", name="/item")
                    time.sleep(0.001)
        """
    )
    assert names(requests) >= {"GET /hello", "GET /world", "GET /item"}
    assert requests.count(endpoint="GET /hello") == pytest.approx(
        requests.count(endpoint="GET /world"), abs=4
    )
    assert requests.count(outcomes=(Outcome.OK,)) == requests.total > 0
    assert (done.users, done.scenario_errors) == (4, 0)


def test_fast_users_checked_responses_and_failures(run):
    done, requests = run(
        """
        from locust import FastHttpUser, constant, task

        class Checker(FastHttpUser):
            wait_time = constant(0.005)

            @task
            def check(self):
                with self.client.get("/ok", catch_response=True) as response:
                    if "ids" in response.text:
                        response.failure("too much")
                with self.client.get("/missing", catch_response=True) as response:
                    if response.status_code == 404:
                        response.success()
                self.client.get("/fail")
                self.client.get("/limit")
        """
    )
    assert {key.endpoint: key.outcome for key in requests.cells} == {
        "GET /ok": Outcome.CHECK_FAILED,
        "GET /missing": Outcome.OK,
        "GET /fail": Outcome.SERVER_ERROR,
        "GET /limit": Outcome.TOO_MANY_REQUESTS,
    }
    assert done.scenario_errors == 0


def test_sequences_and_nested_task_sets(run):
    _, requests = run(
        """
        from locust import HttpUser, SequentialTaskSet, TaskSet, constant, task

        class Forum(TaskSet):
            wait_time = constant(0)

            @task(10)
            def thread(self):
                self.client.get("/thread")

            @task(5)
            def stop(self):
                self.interrupt()

        class Checkout(SequentialTaskSet):
            @task
            def cart(self):
                self.client.get("/cart")

            @task
            def pay(self):
                self.client.post("/pay", {"x": 1})

            @task
            def done(self):
                self.interrupt(reschedule=False)

        class Shopper(HttpUser):
            wait_time = constant(0.001)
            tasks = {Forum: 2, Checkout: 1}
        """
    )
    assert names(requests) == {"GET /thread", "GET /cart", "POST /pay"}
    assert 0 <= requests.count(endpoint="GET /cart") - requests.count(endpoint="POST /pay") <= 4


def test_tags_choose_tasks(run):
    text = """
        from locust import HttpUser, constant, tag, task

        class Tagged(HttpUser):
            wait_time = constant(0.001)

            @tag("read")
            @task
            def read(self):
                self.client.get("/read")

            @tag("write")
            @task
            def write(self):
                self.client.post("/write")
    """
    assert names(run(text, tags=["read"])[1]) == {"GET /read"}
    assert names(run(text, exclude_tags=["read"])[1]) == {"POST /write"}


def test_a_shape_decides_how_many_users_there_are(run):
    done, requests = run(
        """
        from locust import HttpUser, LoadTestShape, constant, task

        class Visitor(HttpUser):
            wait_time = constant(0.001)

            @task
            def visit(self):
                self.client.get("/visit")

        class Steps(LoadTestShape):
            def tick(self):
                if self.get_run_time() < 2:
                    return 3, 100
                return None
        """,
        users=1,
        seconds=20.0,
    )
    assert done.users == 3
    assert done.duration_s < 20
    assert requests.count(endpoint="GET /visit") > 0


def test_events_and_clients_of_ones_own(run):
    _, requests = run(
        """
        import time
        from locust import User, constant, events, task

        started = []

        @events.test_start.add_listener
        def begin(environment, **_):
            started.append(environment.host)

        class Custom(User):
            wait_time = constant(0.01)

            @task
            def work(self):
                begin = time.perf_counter()
                time.sleep(0.01)
                self.environment.events.request.fire(
                    request_type="xmlrpc",
                    name="work" if started else "never started",
                    response_time=(time.perf_counter() - begin) * 1000,
                    response_length=0,
                    exception=None,
                    context={},
                )
        """
    )
    assert names(requests) == {"xmlrpc work"}
    assert requests.histogram("service").mean_us >= 10_000


def test_what_a_user_draws_is_its_own(run):
    """Two runs with one seed: the first user's first draws are the same, whoever draws in between."""
    text = """
        import random
        from locust import FastHttpUser, constant, task

        class Drawing(FastHttpUser):
            wait_time = constant(1000)

            @task
            def draw(self):
                self.client.get(f"/{random.randrange(10**6)}")
    """
    seen = [names(run(text, key=[seed])[1]) for seed in (5, 5, 6)]
    assert seen[0] == seen[1] != seen[2]
    assert len(seen[0]) == 4


def test_a_scenario_that_raises_is_counted(run):
    done, _ = run(
        """
        from locust import HttpUser, constant, task

        class Clumsy(HttpUser):
            wait_time = constant(0.01)

            @task
            def stumble(self):
                raise KeyError("results")
        """
    )
    assert done.scenario_errors > 0
    assert done.first_error == "KeyError: 'results'"


@pytest.mark.parametrize("client", ["HttpUser", "FastHttpUser"])
def test_users_ask_nobody_but_the_host_under_test(run, sides, client, monkeypatch):
    """The class names another host, the tasks too, and so do a redirect and a proxy of the environment."""
    stray = sides[1].base_url  # only loopback: were anything sent, this server would count it
    monkeypatch.setenv("HTTP_PROXY", stray)
    monkeypatch.setenv("http_proxy", stray)
    done, requests = run(
        f"""
        from locust import {client}, constant, task

        class Astray({client}):
            host = "{stray}"
            wait_time = constant(0.01)

            @task
            def at_home(self):
                self.client.get("/home-only")

            @task
            def elsewhere(self):
                self.client.get("{stray}/stray")

            @task
            def led_away(self):
                self.client.get("/away")

            @task
            def rebased(self):
                self.client.base_url, kept = "{stray}", self.client.base_url
                try:
                    self.client.get("/stray")
                finally:
                    self.client.base_url = kept
        """
    )
    monkeypatch.undo()
    assert seen(sides, "/stray") == [0, 0]
    assert seen(sides, "/home-only")[0] > 0
    assert seen(sides, "/home-only")[1] == 0
    assert names(requests) == {"GET /home-only", "GET /away"}
    assert done.scenario_errors > 0
    assert "the host under test" in done.first_error
