"""The conductor follows a generator through a run, and hears that it is alive."""

import socket
import subprocess
import sys
import threading

import pytest

from loadstone.errors import MeasurementError
from loadstone.workload.protocol import (
    Channel,
    Go,
    Hello,
    Measured,
    PairsDone,
    Progress,
    Ready,
    RunPairs,
    Side,
)
from loadstone.workload.remote import Generator

PLAN = RunPairs(
    sides=[Side(variant="before", base_url="http://127.0.0.1:1")], users=1, seed=1, generation=1,
    health_path="/", warm_s=1.0, warm_pairs=1, measure_s=1.0, max_pairs=1, gap_share=0.1,
)  # fmt: skip
DONE = PairsDone(
    rows=b"", steps=[], users=[], pairs=0, diverged=0, iterations=0, duration_s=0.0, generator_cpu_s=0.0,
    scenario_errors=0, first_error="", stopped_early="",
)  # fmt: skip


@pytest.fixture
def ends():
    left, right = socket.socketpair()
    left.settimeout(5)
    right.settimeout(5)
    with left, right:
        yield Generator(Channel(left), None, Hello(token="", pid=1, locust_version="")), Channel(right)


def test_a_run_is_followed_step_by_step(ends):
    generator, far = ends
    told = []

    def play():
        far.receive()
        for message in (Progress(pairs=0), Ready(warm_pairs=1)):
            far.send(message)
        told.append(type(far.receive()))
        for message in (Progress(pairs=7), Measured()):
            far.send(message)
        told.append(type(far.receive()))
        far.send(DONE)

    player = threading.Thread(target=play)
    player.start()
    done = generator.run_pairs(
        PLAN,
        on_ready=lambda: told.append("ready"),
        on_progress=told.append,
        on_measured=lambda: told.append("measured"),
    )
    player.join()
    assert done == DONE
    assert told == ["ready", Go, 7, "measured", Go]


def test_an_answer_out_of_turn_is_one_clear_error(ends):
    generator, far = ends
    far.send(Measured())
    with pytest.raises(MeasurementError, match="Measured out of turn"):
        generator.run_pairs(PLAN, on_ready=lambda: None, on_progress=lambda _pairs: None)


def in_own_process(script):
    """Run `script`, which may import Locust, as that patches the whole process."""
    subprocess.run([sys.executable, "-c", "import locust\n" + script], check=True)


def test_a_stuck_scenario_is_named_before_the_generator_counts_as_lost():
    in_own_process("""
from loadstone.workload import lockstep, pairs, probe, remote
longest = max(probe.DEADLINE_S, pairs.GRACE_S) + lockstep.SETTLE_TIMEOUT_S
assert longest < remote.SILENCE_TIMEOUT_S, longest
""")


def test_a_long_start_gives_signs_of_life():
    in_own_process("""
from gevent.event import Event
from loadstone.workload import pairs
pairs.ALIVE_EVERY_S = 0.001
told, often = [], Event()
def send(message):
    told.append(message)
    if len(told) == 3:
        often.set()
with pairs._signs_of_life(send):
    assert often.wait(10)
assert {(type(message).__name__, message.pairs) for message in told} == {("Progress", 0)}
""")


def test_a_server_that_refuses_the_first_connection_does_not_end_the_run():
    in_own_process("""
from types import SimpleNamespace as Fake
from loadstone.workload import pairs
asked = []
def refuse(*args, **kwargs):
    asked.append(args)
    raise ConnectionRefusedError
twin = Fake(finished=False, raw_request=refuse)
journey = Fake(twins=[twin], settle=lambda: None, started=lambda: True)
pairs._finish_starts([journey], None, Fake(health_path="/health"))
assert asked == [("GET", "/health")]
""")
