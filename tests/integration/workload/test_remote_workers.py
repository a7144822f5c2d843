"""Workers that come through Locust's own master and worker connection, on loopback."""

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError

import pytest

from loadstone.config.crew import TOKEN_VARIABLE, Crew
from loadstone.errors import MeasurementError
from loadstone.workload.crew_start import start_crew
from loadstone.workload.load_protocol import OpenSides, RunBlock, RunSelfTest
from loadstone.workload.load_remote import LoadGenerator

TOKEN = "remote-workers-test"
SECRET = "known to workers"
AHEAD_S = 1000
SCENARIO = """
import os
from locust import FastHttpUser, task

SHARE = os.environ["LOADSTONE_WORKER"]

class Asking(FastHttpUser):
    @task
    def ask(self):
        self.client.get("/", name=f"share {SHARE}")
"""


@contextmanager
def crew_of(
    tmp_path: Path, crew: Crew, *, secrets: tuple[str, ...] = (), elsewhere: tuple[str, ...] = ()
) -> Iterator[tuple[LoadGenerator, Callable[[str], subprocess.Popen]]]:
    """Yield a crew with as many workers that come by themselves as there are secrets, and what calls more.

    The first of them is started by the words `elsewhere`.
    """
    children: list[subprocess.Popen] = []
    addresses: list[str] = []
    scenario = tmp_path / "asking.py"
    scenario.write_text(SCENARIO)

    def start(argv: list[str], secret: str) -> subprocess.Popen:
        environment = {**os.environ, "LOADSTONE_RUN": TOKEN, TOKEN_VARIABLE: secret}
        with (tmp_path / f"child-{len(children)}.log").open("wb") as log:
            children.append(subprocess.Popen(argv, env=environment, stderr=log))
        return children[-1]

    def call(secret: str, before: tuple[str, ...] = ()) -> subprocess.Popen:
        argv = [*before, sys.executable, "-m", "loadstone", "worker", "--master", addresses[0]]
        return start(argv, secret)

    def tell(text: str) -> None:
        if "waiting for" in text:
            addresses.append(text.rsplit(maxsplit=1)[-1])
            for place, secret in enumerate(secrets):
                call(secret, elsewhere if place == 0 else ())

    try:
        with start_crew(lambda argv: start(argv, TOKEN), TOKEN, crew, tell=tell) as generator:
            generator.load(scenario)
            yield generator, call
    finally:
        for child in children:
            child.kill()
            child.wait()


def opened(sides) -> OpenSides:
    return OpenSides(sides=sides[:1], key=[1, "load"], users=4, most_users=300, most_backlog=3000)


def another_clock() -> tuple[tuple[str, ...], int]:
    """Return words that start a program whose monotonic clock is ahead, and by how many ns; 0: may not."""
    words = ("unshare", "--time", "--monotonic", str(AHEAD_S))
    allowed = (
        shutil.which("unshare")
        and not subprocess.run([*words, "true"], capture_output=True, check=False).returncode
    )
    return (words, AHEAD_S * 10**9) if allowed else ((), 0)


def test_workers_come_share_the_plan_die_and_join_late(tmp_path, sides):
    """One lives in a time of its own, as on another host; of the others the truth of the offset is 0."""
    crew = Crew(local=1, expected=2, port=0, token=SECRET, wait_s=60)
    elsewhere, ahead_ns = another_clock()
    with crew_of(tmp_path, crew, secrets=(SECRET, SECRET), elsewhere=elsewhere) as (generator, call):
        tested = generator.self_test(RunSelfTest(base_url=sides[0].base_url, seconds=0.2))
        assert len(tested) == 3
        assert all(one.requests > 0 for _, one in tested)
        generator.open_sides(opened(sides))
        assert generator.clock_bound_s > 0
        first = set(generator.team.workers)
        steps: list[str] = []
        ends: list[int] = []

        def on_second(second, *_):
            came = [name for name in generator.team.workers if name not in first]
            if not steps:
                steps.append("called")
                call(SECRET)
            elif steps == ["called"] and came:
                steps.append("killed")
                victim = next(one for one in generator.team.workers.values() if one.remote)
                os.kill(victim.hello.pid, signal.SIGKILL)
            elif steps == ["called", "killed"] and generator.team.lost:
                steps.append("noticed")
                ends.append(second.elapsed_s + 3)
            return not ends or second.elapsed_s < ends[0]

        order = RunBlock(
            side=0, rate="90/90s", start_s=0.0, stop_s=90.0, key=[1], drain_s=10.0, shares=[(0, 1, 0)]
        )
        done, requests, _ = generator.run(order, on_second)
        assert steps == ["called", "killed", "noticed"]
        assert done.mismatch == ""
        assert done.due == done.planned == requests.total
        shares = {key.endpoint for key in requests.cells if "share" in key.endpoint}
        assert shares == {f"GET share {share}" for share in ("0/3", "1/3", "2/3", "3/4")}
        (dead,) = [one for one in done.workers if one.ended]
        (late,) = [one for one in done.workers if one.first]
        assert dead.lost == done.lost > 0
        assert late.due > 0
        assert not late.ended
        remote = [one for one in done.workers if one.clock_offset_us is not None]
        assert len(remote) == 3
        offsets = sorted(remote, key=lambda one: one.clock_offset_us)
        for one, truth_us in zip(offsets, (0, 0, ahead_ns / 1000), strict=True):
            assert abs(one.clock_offset_us - truth_us) <= one.clock_bound_us < 1e6
        assert all(one.clock_moved_us == 0 for one in remote)


def test_who_does_not_know_the_secret_is_refused_and_load_goes_only_where_a_worker_allows_it(tmp_path, sides):
    crew = Crew(local=0, expected=1, port=0, token=SECRET, wait_s=60, target_host="192.0.2.1")
    with crew_of(tmp_path, crew, secrets=(SECRET,)) as (generator, call):
        stranger = call("wrong")
        causes: list[str] = []
        while not any("does not know the run's token" in cause for cause in causes[-60:]):
            with pytest.raises(MeasurementError) as raised:
                generator.await_workers(2, timeout_s=1.0)
            causes.append(raised.value.cause)
            assert len(causes) < 60
        assert stranger.wait(60) == 2
        assert generator.workers == 1
        with pytest.raises(MeasurementError, match=r"may not send load to 192\.0\.2\.1"):
            generator.open_sides(opened(sides))
    told = [path.read_text() for path in tmp_path.glob("child-*.log")]
    assert sum("refused by the master" in text for text in told) == 1


def fetch(url: str, **options) -> str:
    with urllib.request.urlopen(urllib.request.Request(url, **options), timeout=10) as answer:  # noqa: S310 - loopback
        return answer.read().decode()


def test_the_web_ui_is_locusts_with_a_page_of_ours(tmp_path, sides):
    with crew_of(tmp_path, Crew(local=1, web=True, web_port=0)) as (generator, _):
        url = generator.master.web_url
        generator.open_sides(opened(sides))
        order = RunBlock(
            side=0, rate="40/9s", start_s=0.0, stop_s=9.0, key=[1], drain_s=10.0, shares=[(0, 1, 0)]
        )
        told: list[dict] = []

        def on_second(second, *_):
            row = {"name": "it", "variant": "orm=naive", "requests": second.elapsed_s}
            generator.show(json.dumps({"title": "a run", "variants": [row], "seconds": []}).encode())
            told.append(json.loads(fetch(url + "stats/requests")))
            return sum(one["num_requests"] for one in told[-1]["stats"]) == 0

        generator.run(order, on_second)
        stats = {one["name"]: one["num_requests"] for one in told[-1]["stats"]}
        assert stats["share 0/1"] > 0
        assert told[-1]["state"] == "running"
        assert told[-1]["extended_stats"][0]["data"][0]["variant"] == "orm=naive"
        assert "extended_tabs" in fetch(url)
        assert json.loads(fetch(url + "before-after.json"))["title"] == "a run"
        assert "Before / after" in fetch(url + "before-after")
        assert not json.loads(fetch(url + "swarm", data=b"user_count=5&spawn_rate=1"))["success"]
        with pytest.raises(HTTPError, match="403"):
            fetch(url + "stats/requests", headers={"Origin": "http://elsewhere.example"})
        assert not generator.end_wished
        fetch(url + "stop", data=b"")
        generator.run(order, lambda *_: not generator.end_wished)
        assert generator.end_wished
