"""The measuring schemes of benchmarks/accuracy/versus.py, on real processes."""

import os
from dataclasses import replace

import pytest
import schemes
from projects import make_project
from schemes import Ground, Subject

from loadstone.target.processes import find_processes


@pytest.fixture
def ground(tmp_path):
    """A server that answers in 4 ms or a little more, measured against itself."""
    project = make_project(tmp_path)
    subject = Subject(project.folder / "loadstone.toml", "speed=slow", ("/page/1", "/page/2"))
    ground = Ground(subject)
    yield ground
    token = ground.stage().token
    ground.leave()
    assert find_processes(token) == []


def check_sides(row):
    for side in row["sides"]:
        assert side["requests"] > schemes.ROUNDS
        assert len(side["rounds_us"]) == schemes.ROUNDS
        assert min(side["rounds_us"]) >= 4_000
        assert 4_000 <= side["p50_us"] <= row["cap_us"]
        assert side["capped_mean_us"] <= row["cap_us"]


def test_restarts_measure_one_fresh_side_after_the_other(ground):
    row = schemes.restarts(ground, 1.0, seed=1)
    check_sides(row)
    first, second = row["sides"]
    assert first["at_s"] + first["start_s"] + schemes.WARM_S + 1.0 <= second["at_s"]
    assert row["duration_s"] >= second["at_s"] + 1.0


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="a duet takes two cores")
def test_a_duet_measures_both_sides_at_once_on_a_core_each(ground):
    row = schemes.duet(ground, 1.0, seed=1)
    check_sides(row)
    assert len(set(row["cores"])) == 2
    assert {side["at_s"] for side in row["sides"]} == {0.0}


def test_pinning_moves_every_thread_of_a_side(ground):
    cores = sorted(os.sched_getaffinity(0))[:1]
    with ground.stage().generation([(ground.variants[0], 0)]) as running:
        schemes._pin(running, cores)
        assert os.sched_getaffinity(running[0].server.child.pid) == set(cores)


def test_a_load_that_fails_is_no_measurement(ground):
    ground.subject = Subject(ground.subject.config, ground.subject.choice, ("/nowhere",))
    ground.variants = [_failing(variant) for variant in ground.variants]
    with pytest.raises(RuntimeError, match="the load ended with 1"):
        schemes.restarts(ground, 1.0, seed=1)


def _failing(variant):
    return replace(variant, env={**variant.env, "ANSWER": "failing"})


def test_a_run_of_loadstone_becomes_its_generations_contrasts(ground, tmp_path, monkeypatch):
    monkeypatch.setattr(schemes, "REPORTS", tmp_path / "reports")
    row = schemes.loadstone(ground, "30s", seed=1)
    assert row["status"] == "complete"
    assert len(row["d"]) == len(row["s"]) >= 6
    assert set(row["s"]) == {-1.0, 1.0}
    assert (tmp_path / "reports" / row["run"] / "journal.jsonl").is_file()
