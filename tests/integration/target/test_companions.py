"""Companions: they come and go with the server of their variant, and count as a part of it."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from loadstone.config.model import Companion
from loadstone.errors import TargetError
from loadstone.target.rest import await_rest


@pytest.fixture
def accompanied(make_variant, tmp_path):
    """Give a maker of variants with one companion, and the folder through which it is told to work."""

    def make(word="ready", ready="ready", **changes):
        argv = ("{python}", "companion.py", str(tmp_path), word)
        return make_variant("after", companions=(Companion("worker", argv, ready),), size="10", **changes)

    return make, tmp_path


def check_for_5_s(running):
    for _ in range(500):
        running.check()
        time.sleep(0.01)


def is_alive(pid):
    return Path(f"/proc/{pid}").exists()


def test_a_companion_runs_beside_its_variant_alone_and_for_as_long(stage, make_variant, accompanied):
    make, _ = accompanied
    with stage.generation([(make_variant(size="10"), 0), (make(), 1)]) as running:
        assert running["before"].companions == ()
        (worker,) = running["after"].companions
        assert worker.name == "the worker of after"
        assert os.getpgid(worker.pid) == worker.pid
        assert worker in running["after"].children()
    assert not is_alive(worker.pid)


def test_it_gets_the_services_themselves_and_the_variants_environment(stage, accompanied):
    make, folder = accompanied
    rewire = lambda _slot, _database, _cache: ("tapped", "tapped")  # noqa: E731
    with stage.generation([(make(), 1)], rewire=rewire, extra={"PYTHONHASHSEED": "7"}) as running:
        environment = json.loads((folder / "environment.json").read_text())
        assert environment["DATABASE_URL"] == running[0].database_url
        assert environment["REDIS_URL"] == running[0].redis_url
        assert environment["PYTHONHASHSEED"] == "7"
        assert Path(environment["SCRATCH"]).name == "companion-worker"


def test_its_cpu_is_counted_apart_and_waited_for(stage, accompanied):
    make, folder = accompanied
    with stage.generation([(make(), 0)]) as running:
        one = running[0]
        assert await_rest(one.restless())
        before, alone = one.cpu(), one.memory_bytes()
        (folder / "work").touch()
        while (folder / "work").exists():
            time.sleep(0.001)
        assert await_rest(one.restless())
        spent = one.cpu() - before
        assert spent.companions_s >= 0.25
        assert spent.server_s < 0.1 * spent.companions_s
        assert spent.total_s() >= spent.companions_s
        assert alone > 1 << 20


def test_without_companions_nobody_is_waited_for(stage, make_variant):
    with stage.generation([(make_variant(size="10"), 0)]) as running:
        assert running[0].restless() == []
        assert running[0].cpu().companions_s == 0.0


def test_a_companion_that_dies_is_named(stage, accompanied):
    make, _ = accompanied
    with stage.generation([(make(), 0)]) as running:
        os.kill(running[0].companions[0].pid, signal.SIGKILL)
        with pytest.raises(TargetError, match="the worker of after was killed by SIGKILL"):
            check_for_5_s(running)


@pytest.mark.parametrize(
    ("word", "changes", "problem"),
    [
        ("broken", {}, "the worker of after exited with code 1 before it was ready"),
        ("hesitant", {"start_timeout_s": 1.5}, "the worker of after was not ready within 1.5 s"),
    ],
)
def test_a_companion_that_does_not_come_up_is_told_with_its_log(stage, accompanied, word, changes, problem):
    make, _ = accompanied
    with pytest.raises(TargetError, match=problem) as caught, stage.generation([(make(word, **changes), 0)]):
        pass
    assert ("no broker anywhere" if word == "broken" else "hesitant") in caught.value.cause
    assert "target.companions.worker" in caught.value.remedy
