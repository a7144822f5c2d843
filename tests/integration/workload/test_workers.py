"""Several real workers share one plan; some die."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from loadstone.errors import MeasurementError
from loadstone.record.observations import Outcome
from loadstone.workload.crew_start import start_load_generator
from loadstone.workload.load_protocol import BlockDone, OpenSides, RunBlock, RunCrowd
from loadstone.workload.load_remote import LoadGenerator
from loadstone.workload.load_sum import LOST

TOKEN = "workers-test"
SCENARIO = """
from locust import task
from loadstone.workload.client import LeanHttpUser

class Asking(LeanHttpUser):
    @task
    def ask(self):
        self.client.get("/")
"""


@pytest.fixture(scope="module")
def scenario(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("workers") / "asking.py"
    path.write_text(SCENARIO)
    return path


@contextmanager
def three_workers(scenario: Path, sides) -> Iterator[LoadGenerator]:
    environment = {**os.environ, "LOADSTONE_RUN": TOKEN}
    with start_load_generator(
        lambda argv: subprocess.Popen(argv, env=environment, stderr=subprocess.DEVNULL), TOKEN, workers=3
    ) as generator:
        generator.load(scenario)
        generator.open_sides(
            OpenSides(sides=sides[:1], key=[1, "load"], users=4, most_users=300, most_backlog=3000)
        )
        yield generator


@pytest.fixture(scope="module")
def crew(scenario: Path, sides) -> Iterator[LoadGenerator]:
    """Three workers with their users ready, that several tests use."""
    with three_workers(scenario, sides) as generator:
        yield generator


@pytest.fixture
def doomed(scenario: Path, sides) -> Iterator[LoadGenerator]:
    """Three workers that will not all live on."""
    with three_workers(scenario, sides) as generator:
        yield generator


def block(rate: str, seconds: float) -> RunBlock:
    return RunBlock(
        side=0, rate=rate, start_s=0.0, stop_s=seconds, key=[1, "load", rate], drain_s=10.0,
        shares=[(0, 1, 0)],
    )  # fmt: skip


def whole(done: BlockDone) -> bool:
    return not done.mismatch and done.due == done.planned


def test_the_merged_record_is_the_sum_over_workers_and_the_sum_is_the_plan(crew):
    done, requests, schedule = crew.run(block("90/2s", 2.0), lambda *_: True)
    assert done.due == done.begun == done.planned == 180
    assert [one.due for one in done.workers] == [60, 60, 60]
    assert sum(one.requests for one in done.workers) == requests.total == 180
    assert schedule.count(endpoint="Asking.ask") == 180
    assert whole(done)
    assert not done.lost


def test_a_wish_to_end_reaches_every_worker_and_the_sum_is_that_of_what_fell_due(crew):
    done, requests, _ = crew.run(block("90/1h", 3600.0), lambda second, *_: second.elapsed_s < 2)
    assert whole(done)
    assert requests.total == done.due < 90 * 30


def test_every_report_tells_of_iterations_with_their_requests(crew):
    """Else a worker that is killed after it would leave iterations of which no request is known."""
    seen = []

    def note(_second, requests, schedule):
        seen.append((requests.total, schedule.count(endpoint="Asking.ask")))
        return True

    crew.run(block("600/4s", 4.0), note)
    assert len(seen) >= 3
    assert [requests for requests, _ in seen] == [iterations for _, iterations in seen]


def test_workers_killed_in_mid_run_are_noticed_and_their_arrivals_taken_over(doomed):
    team = doomed.team

    def kill(second, *_):
        if second.elapsed_s == 1:
            os.kill(team.workers["worker 2"].child.pid, signal.SIGKILL)
        return True

    done, requests, _ = doomed.run(block("90/5s", 5.0), kill)
    dead = next(one for one in done.workers if one.name == "worker 2")
    living = [one for one in done.workers if one.name != "worker 2"]
    assert dead.ended == "was killed by SIGKILL"
    assert not any(one.ended for one in living)
    assert 0 < done.lost == dead.lost < 450 / 3
    assert whole(done)
    assert done.planned == 450
    assert all(one.due > 150 for one in living)
    assert requests.count(endpoint=LOST, outcomes=(Outcome.NOT_SENT,)) == done.lost
    assert requests.total == done.due

    after, _, _ = doomed.run(block("90/1s", 1.0), lambda *_: True)
    assert whole(after)
    assert [one.due for one in after.workers] == [45, 45]

    def kill_all(*_):
        for worker in team.workers.values():
            os.kill(worker.child.pid, signal.SIGKILL)
        return True

    with pytest.raises(MeasurementError, match="every load generator is gone"):
        doomed.run(block("90/5s", 5.0), kill_all)


def test_a_crowd_is_shared_by_its_users(crew, sides):
    order = RunCrowd(
        base_url=sides[0].base_url, users=5, spawn_rate=100.0, seconds=1.0, key=[1, "crowd"],
        tags=[], exclude_tags=[],
    )  # fmt: skip
    done, requests, _ = crew.run(order, lambda *_: True)
    assert done.users == 5
    assert not done.mismatch
    assert sum(one.requests for one in done.workers) == requests.total > 0
