"""The generator walks twin journeys in lockstep, against real servers, in a process of its own."""

import numpy as np
import pytest

from loadstone.errors import MeasurementError
from loadstone.record.observations import Outcome, rows_from_bytes, spikes_from_bytes
from loadstone.workload.protocol import Exchange, RunProbe

SHOP = """
import random
from locust import FastHttpUser, HttpUser, SequentialTaskSet, TaskSet, between, task

class Nested(TaskSet):
    @task
    def look(self):
        self.client.get(f"/nested/{random.randint(1, 99)}", name="/nested")
        self.interrupt()

class Visitor(FastHttpUser):
    wait_time = between(1, 2)
    tasks = [Nested]

    def on_start(self):
        self.ids = self.client.get("/start").json()["ids"]

    @task(3)
    def page(self):
        reply = self.client.get(f"/page/{random.choice(self.ids)}?n={random.randint(0, 10**9)}", name="/page")
        self.client.get(reply.json()["next"], name="/next")
        with self.client.get("/missing", catch_response=True) as reply:
            if reply.status_code == 404:
                reply.success()
"""


def test_twins_send_the_same_steps_back_to_back_in_random_order(generator_of, run_pairs, sides):
    with generator_of(SHOP) as generator:
        done = run_pairs(generator, sides, max_pairs=200)
    rows = rows_from_bytes(done.rows)
    assert rows.size == 2 * done.pairs == 400
    assert done.diverged == 0
    assert done.scenario_errors == 0
    for pair in range(done.pairs):
        both = rows[rows["pair"] == pair]
        assert sorted(both["variant"]) == [0, 1]
        assert sorted(both["position"]) == [0, 1]
        assert len(set(both["step"])) == 1
        first, second = both[np.argsort(both["position"])]
        assert first["start_us"] + first["service_us"] <= second["start_us"] + 1
    share = (rows["position"][rows["variant"] == 0] == 0).mean()
    assert 0.35 < share < 0.65  # fair coin, 200 throws: fails in 1 of 40,000 seeds; this one is fixed


def test_latency_is_that_of_each_server(generator_of, run_pairs, sides):
    with generator_of(SHOP) as generator:
        rows = rows_from_bytes(run_pairs(generator, sides).rows)
    before, after = (rows["service_us"][rows["variant"] == variant] for variant in (0, 1))
    assert before.min() >= 2000
    assert 1000 <= np.median(after) < np.median(before)


@pytest.mark.parametrize("users", [1, 8])
def test_a_seed_gives_the_same_sequence_per_user(generator_of, run_pairs, sides, users):
    with generator_of(SHOP) as generator:
        one, two = (run_pairs(generator, sides, users=users, max_pairs=users * 16) for _ in range(2))
        other = run_pairs(generator, sides, users=users, seed=2, max_pairs=users * 16)
    assert [user.checkpoints for user in one.users] == [user.checkpoints for user in two.users]
    assert [user.checkpoints for user in one.users] != [user.checkpoints for user in other.users]
    assert len({user.checkpoints[16] for user in one.users}) == users


def test_a_users_sequence_does_not_depend_on_how_many_there_are(generator_of, run_pairs, sides):
    with generator_of(SHOP) as generator:
        alone = run_pairs(generator, sides, users=1, max_pairs=16)
        among = run_pairs(generator, sides, users=8, max_pairs=128)
    assert alone.users[0].checkpoints == among.users[0].checkpoints


def test_a_tenth_of_the_pairs_has_quiet_gaps(generator_of, run_pairs, sides):
    with generator_of(SHOP) as generator:
        rows = rows_from_bytes(run_pairs(generator, sides, gap_share=0.5, max_pairs=60).rows)
    gaps = rows[rows["gap"] == 1]
    assert 0 < gaps.size < rows.size
    starts = np.sort(rows["start_us"])
    alone = [start for start in gaps["start_us"] if not ((starts < start) & (starts > start - 9000)).any()]
    assert len(alone) == gaps.size


@pytest.mark.parametrize(
    ("path", "outcome"),
    [
        ("/fail", Outcome.SERVER_ERROR),
        ("/limit", Outcome.TOO_MANY_REQUESTS),
        ("/missing", Outcome.CLIENT_ERROR),
        ("/ok", Outcome.OK),
    ],
)
@pytest.mark.parametrize("client", ["FastHttpUser", "HttpUser"])
def test_outcomes_are_told_apart(generator_of, run_pairs, sides, client, path, outcome):
    head = f"from locust import {client}, task\nclass U({client}):\n"
    text = f"{head}    @task\n    def t(self): self.client.get('{path}')"
    with generator_of(text) as generator:
        rows = rows_from_bytes(run_pairs(generator, sides, max_pairs=5).rows)
    assert set(rows["outcome"]) == {outcome}


def test_a_failed_check_and_a_timeout_are_failures(generator_of, run_pairs, sides):
    text = """
from locust import FastHttpUser, task
class U(FastHttpUser):
    network_timeout = 0.2
    @task
    def t(self):
        with self.client.get("/ok", catch_response=True) as reply:
            reply.failure("not what I want")
        self.client.get("/hang")
"""
    with generator_of(text) as generator:
        done = run_pairs(generator, sides, max_pairs=4, warm_pairs=1)
    rows = rows_from_bytes(done.rows)
    outcomes = {done.steps[row["step"]]: Outcome(row["outcome"]) for row in rows}
    assert outcomes == {"GET /ok": Outcome.CHECK_FAILED, "GET /hang": Outcome.TIMEOUT}


def test_journeys_that_part_are_counted_and_meet_again(generator_of, run_pairs, sides):
    """The cookie tells the twins apart: after asks for something else, then both go on."""
    text = f"""
from locust import FastHttpUser, task
class U(FastHttpUser):
    @task
    def t(self):
        here = self.client.get("/one").json()["next"]
        if ":{sides[0].base_url.rpartition(":")[2]}" in here:
            self.client.get("/only-before")
        self.client.get("/two")
"""
    with generator_of(text) as generator:
        done = run_pairs(generator, sides, max_pairs=24)
    rows = rows_from_bytes(done.rows)
    assert done.diverged > 2
    names = np.array(done.steps)[rows["step"]]
    assert set(rows["paired"][names == "GET /one"]) == {1}
    assert set(rows["paired"][names == "GET /only-before"]) == {0}


def test_another_host_is_never_asked(generator_of, run_pairs, sides):
    text = """
from locust import FastHttpUser, task
class U(FastHttpUser):
    @task
    def t(self):
        self.client.get("/ok")
        self.client.get("http://127.0.0.9:9/elsewhere")
"""
    with generator_of(text) as generator:
        done = run_pairs(generator, sides, max_pairs=4)
    assert "not the variant under test" in done.first_error
    assert done.steps == ["GET /ok"]


def test_the_probe_sends_reads_twice_and_writes_once(generator_of, sides):
    text = """
from locust import FastHttpUser, task
class U(FastHttpUser):
    def on_start(self): self.client.get("/start")
    @task
    def t(self):
        self.client.get("/read")
        self.client.post("/write", json={})
"""
    seen: list[Exchange] = []
    with generator_of(text) as generator:
        plan = RunProbe(
            sides=sides, users=1, seed=1, generation=0, health_path="/", max_requests=4, per_endpoint=2
        )
        done = generator.run_probe(plan, seen.append)
    assert done.recorded == 4
    recorded = [(one.step, one.variant, one.repeat) for one in seen if one.recorded]
    assert recorded[:6] == [
        ("GET /read", 0, False), ("GET /read", 0, True), ("GET /read", 1, False), ("GET /read", 1, True),
        ("POST /write", 0, False), ("POST /write", 1, False),
    ]  # fmt: skip
    assert [one.step for one in seen if not one.recorded] == ["GET /start", "GET /start"]
    assert b'"path": "/read"' in seen[2].body


def probed_steps(generator, sides, **changes):
    """Probe, and return the step of each request that the first side got, in order."""
    plan = {"users": 1, "seed": 1, "generation": 0, "health_path": "/", "max_requests": 60, "per_endpoint": 2}
    seen: list[Exchange] = []
    generator.run_probe(RunProbe(sides=sides, **{**plan, **changes}), seen.append)
    return [one.step for one in seen if one.variant == 0 and not one.repeat]


NESTED = """
from locust import FastHttpUser, TaskSet, task
class Back(TaskSet):
    @task(3)
    def list(self): self.client.get("/orders")
    @task
    def leave(self):
        self.client.get("/logout")
        self.interrupt()
class U(FastHttpUser):
    @task({weight})
    def front(self): self.client.get("/read")
    @task
    class Inner(Back): pass
"""


def test_the_probe_ends_once_every_task_was_walked_and_nothing_is_new(generator_of, sides):
    """Each of three endpoints twice, and four more requests: not 20 iterations of whatever comes."""
    with generator_of(NESTED.replace("{weight}", "1")) as generator:
        steps = probed_steps(generator, sides)
    assert set(steps) == {"GET /read", "GET /orders", "GET /logout"}
    assert len(steps) < 20


def test_the_probe_goes_on_for_a_rare_task(generator_of, sides):
    """With this seed the nested tasks are first chosen in the nineteenth iteration."""
    with generator_of(NESTED.replace("{weight}", "12")) as generator:
        steps = probed_steps(generator, sides, seed=13)
    assert set(steps[:18]) == {"GET /read"}
    assert {"GET /orders", "GET /logout"} <= set(steps)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import nowhere_to_be_found", "cannot be imported"),
        ("x = 1", "defines no user class"),
    ],
)
def test_a_bad_scenario_is_one_error(generator_of, text, says):
    with pytest.raises(MeasurementError, match=says), generator_of(text):
        pass


def test_the_first_generation_waits_until_every_user_has_told_who_it_is(generator_of, run_pairs, sides):
    with generator_of(SHOP) as generator:
        done = run_pairs(generator, sides, generation=0, users=6, measure_s=0.01, max_pairs=10**6)
    assert [user.steps >= 8 for user in done.users] == [True] * 6


def test_a_spiked_side_is_slower_by_what_is_told_and_no_other(generator_of, run_pairs, sides):
    """Three sides, the third a copy of before that is slowed down by a fifth."""
    from msgspec.structs import replace

    three = [*sides, replace(sides[0], variant="spiked", spiked=True)]
    with generator_of(SHOP) as generator:
        done = run_pairs(generator, three, spin_share=0.2)
        without = run_pairs(generator, sides)
    rows, spikes = rows_from_bytes(done.rows), spikes_from_bytes(done.spikes, 0)
    assert spikes.size == rows.size == 3 * done.pairs
    good, spiked = rows["outcome"] == Outcome.OK, rows["variant"] == 2
    assert not spikes[~spiked].any()
    unspun_ns = 1000 * rows["service_us"][spiked & good].astype(np.int64) - spikes[spiked & good]
    assert (spikes[spiked & good] >= 0.2 * unspun_ns - 1000).all()
    assert unspun_ns.min() >= 2_000_000
    assert without.spikes == b""
