"""Whatever a plain Locust file does, it is walked as written, and blamed for its own errors only."""

import numpy as np
import pytest
import requests

from loadstone.errors import MeasurementError
from loadstone.record.observations import Outcome, rows_from_bytes

HEAD = "import random\nfrom locust import FastHttpUser, HttpUser, events, task\n"


def seen(sides, path):
    """Return how often each side's server was asked for `path`."""
    return [requests.get(f"{side.base_url}/seen", timeout=10).json().get(path, 0) for side in sides]


def test_requests_of_on_stop_are_sent_after_the_timed_part(generator_of, run_pairs, sides):
    text = f"""{HEAD}
class U(FastHttpUser):
    def on_stop(self):
        self.client.get("/bye")
    @task
    def t(self):
        self.client.get("/ok")
"""
    measured = []
    with generator_of(text) as generator:
        done = run_pairs(
            generator, sides, users=3, max_pairs=12, on_measured=lambda: measured.extend(seen(sides, "/bye"))
        )
    assert measured == [3, 3], "those of the warm-up"
    assert seen(sides, "/bye") == [6, 6]
    assert set(done.steps) == {"GET /ok"}


def test_a_scenario_that_catches_everything_ends_all_the_same(generator_of, run_pairs, sides):
    text = f"""{HEAD}
class U(FastHttpUser):
    @task
    def t(self):
        while True:
            try:
                self.client.get("/persist")
            except Exception:
                pass
"""
    measured = []
    with generator_of(text) as generator:
        run_pairs(generator, sides, max_pairs=4, on_measured=lambda: measured.extend(seen(sides, "/persist")))
    assert seen(sides, "/persist") == measured


def test_an_exception_after_a_failed_request_is_not_the_scenarios(generator_of, run_pairs, sides):
    text = f"""{HEAD}
class U(FastHttpUser):
    @task
    def t(self):
        self.client.get("/fail").json()["no such key"]
"""
    with generator_of(text) as generator:
        done = run_pairs(generator, sides, max_pairs=6)
    assert (done.scenario_errors, done.first_error) == (0, "")


def test_an_exception_of_the_scenario_itself_counts_once(generator_of, run_pairs, sides):
    text = f"""{HEAD}
class U(FastHttpUser):
    @task
    def t(self):
        self.client.get("/ok").json()["no such key"]
"""
    with generator_of(text) as generator:
        done = run_pairs(generator, sides, max_pairs=6)
    assert done.scenario_errors == 2 * 6
    assert done.first_error == "KeyError: 'no such key'"


def test_a_failure_is_forgiven_in_its_own_iteration_only(generator_of, run_pairs, sides):
    text = f"""{HEAD}
class U(FastHttpUser):
    turn = 0
    @task
    def t(self):
        self.turn += 1
        self.client.get("/fail" if self.turn % 2 else "/ok").json()["no such key"]
"""
    with generator_of(text) as generator:
        done = run_pairs(generator, sides, max_pairs=6)
    assert done.scenario_errors == 2 * 3


def test_errors_of_on_start_count_and_those_of_the_warm_up_do_not(generator_of, run_pairs, sides):
    text = f"""{HEAD}
class U(FastHttpUser):
    made = 0
    def on_start(self):
        U.made += 1
        if FAILS(U.made):
            raise ValueError("no start")
    @task
    def t(self):
        self.client.get("/ok")
"""
    with generator_of(text.replace("FAILS(U.made)", "U.made <= 2")) as generator:
        assert run_pairs(generator, sides, max_pairs=2).scenario_errors == 0
    with generator_of(text.replace("FAILS(U.made)", "U.made > 2")) as generator:
        done = run_pairs(generator, sides, max_pairs=2)
    assert (done.scenario_errors, done.first_error) == (2, "ValueError: no start")


def test_journeys_that_part_over_a_failure_do_not_count_as_parted(generator_of, run_pairs, sides):
    text = f"""{HEAD}
class U(FastHttpUser):
    @task
    def t(self):
        path = "/ok" if self.host == "{sides[0].base_url}" else "/fail"
        if self.client.get(path, name="/first").status_code == 200:
            self.client.get("/then")
"""
    with generator_of(text) as generator:
        done = run_pairs(generator, sides, max_pairs=12)
    rows = rows_from_bytes(done.rows)
    assert set(rows["paired"][rows["step"] == done.steps.index("GET /then")]) == {0}
    assert done.diverged == 0


def test_listeners_of_a_plain_locust_file_are_called(generator_of, run_pairs, sides):
    text = f"""{HEAD}
calls = []
@events.init.add_listener
def init(environment, **_): calls.append("init")
@events.test_start.add_listener
def start(environment, **_): calls.append("start")
@events.request.add_listener
def request(name, context, **_):
    if name == "/counted" and context: calls.append(name)
@events.test_stop.add_listener
def stop(environment, **_): raise RuntimeError([calls.count(one) for one in ("init", "start", "/counted")])
class U(FastHttpUser):
    @task
    def t(self):
        self.client.get("/counted")
"""
    with generator_of(text) as generator:
        one, two = (run_pairs(generator, sides, max_pairs=4, warm_s=0, warm_pairs=2) for _ in range(2))
    assert one.scenario_errors == two.scenario_errors == 1
    assert one.first_error == f"RuntimeError: {[1, 1, 2 * 6]}"
    assert two.first_error == f"RuntimeError: {[1, 2, 2 * 12]}"
    assert set(rows_from_bytes(two.rows)["outcome"]) == {Outcome.OK}


@pytest.mark.parametrize("what", ["params", "json", "data"])
def test_the_sequence_knows_what_requests_carry(generator_of, run_pairs, sides, what):
    text = f"""{HEAD}
class U(FastHttpUser):
    @task
    def t(self):
        self.client.request("POST", "/ok", {what}={{"n": str(random.random())}})
"""
    with generator_of(text) as generator:
        one, same, other = (run_pairs(generator, sides, seed=seed, max_pairs=4) for seed in (1, 1, 2))
    assert one.users == same.users
    assert one.users[0].checkpoints != other.users[0].checkpoints


@pytest.mark.parametrize("client", ["FastHttpUser", "HttpUser"])
def test_a_redirect_to_another_host_is_not_followed(generator_of, run_pairs, sides, client):
    text = f"""{HEAD}
class U({client}):
    @task
    def t(self):
        self.client.get("/away")
        self.client.get("/home")
"""
    with generator_of(text) as generator:
        done = run_pairs(generator, sides, max_pairs=4)
    rows = rows_from_bytes(done.rows)
    names = np.array(done.steps)[rows["step"]]
    assert set(rows["status"][names == "GET /away"]) == {302}
    assert set(rows["status"][names == "GET /home"]) == {200}
    assert seen(sides, "/stray") == [0, 0]


def test_a_path_cannot_turn_into_another_host(generator_of, run_pairs, sides):
    text = f"""{HEAD}
class U(FastHttpUser):
    @task
    def t(self):
        self.client.get("/ok")
        self.client.get("@127.0.0.9:9/elsewhere")
"""
    with generator_of(text) as generator:
        done = run_pairs(generator, sides, max_pairs=4)
    assert "not the variant under test" in done.first_error
    assert done.steps == ["GET /ok"]


def test_too_many_names_are_one_error_that_says_what_to_do(generator_of, run_pairs, sides):
    text = f"""{HEAD}
class U(FastHttpUser):
    count = 0
    @task
    def t(self):
        self.count += 1
        self.client.get(f"/item/{{self.count}}")
"""
    with generator_of(text) as generator, pytest.raises(MeasurementError, match="different names") as raised:
        run_pairs(generator, sides, max_pairs=400)
    assert "name=" in raised.value.remedy
