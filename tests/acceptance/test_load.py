"""`loadstone load` and comparisons under load, as a user runs them, on a small target of somebody's."""

import json
import os
import re
import signal
import time

import psutil
import pytest
from live_pages import watch

from loadstone.record.load_record import read_load_journal, read_recording
from loadstone.target.processes import find_processes

SHORT = ("--for", "3s", "--warm-up", "500ms")


@pytest.fixture
def project(project):
    """Neither lateness on a machine that is busy with other tests nor the cap is what these are about."""
    config = project.folder / "loadstone.toml"
    config.write_text(config.read_text() + '\n[load]\nmost_lag = "5s"\nmost_rate = 1e6\n')
    return project


def generators(pid: int) -> list[int]:
    """Return the generator processes of a run."""
    return [
        child.pid
        for child in psutil.Process(pid).children(recursive=True)
        if "loadstone.workload.load_generator" in child.cmdline()
    ]


def result(project) -> dict:
    return json.loads((project.runs()[-1] / "load.json").read_text())


def test_load_in_the_open_model_keeps_its_plan(project):
    ran = project.run("load", "speed=fast", "--rate", "40:60/3s", "--threshold", "errors<1%, rate>=99%")
    told = result(project)
    assert ran.returncode == 0, ran.stderr
    assert (told["due"], told["begun"], told["not_sent"]) == (150, 150, 0)
    assert told["overall"]["outcomes"] == {"ok": 150}
    assert [one["status"] for one in told["thresholds"]] == ["kept", "kept"]
    assert told["iterations"][0]["endpoint"] == "Visitor.browse"
    assert sum(second["planned"] for second in told["seconds"] if second["planned"]) == pytest.approx(150)
    assert "open model: 150 of 150 planned arrivals" in ran.stdout
    assert (project.runs()[-1] / "report.md").read_text().startswith("# KEPT")


def test_a_browser_sees_seconds_go_by_and_is_left_with_the_report(project):
    ran, seen = watch(
        project, "load", "speed=fast", "--rate", "40", *SHORT, "--threshold", "errors<1%", "--live"
    )
    bodies = [told["body"] for name, told in seen.events if name == "shown"]
    assert ran.returncode == 0, ran.stderr
    assert "Nothing is measured yet" in seen.first
    assert any("Thresholds, so far" in body and "40 arrivals planned" in body for body in bodies)
    assert seen.events[-1] == ("over", {})
    assert seen.last == (project.runs()[-1] / "report.html").read_text()


def test_several_workers_share_a_plan_and_add_up(project):
    ran = project.run("load", "speed=fast", "--rate", "40", *SHORT, "--workers", "2")
    told = result(project)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert [(one["name"], one["due"], one["lost"]) for one in told["workers"]] == [
        ("worker 1", 60, 0),
        ("worker 2", 60, 0),
    ]
    assert sum(one["requests"] for one in told["workers"]) == told["overall"]["requests"] == 120
    assert {one["name"]: one["status"] for one in told["checks"]}["sum"] == "ok"
    assert "worker 2: 60 of 60 arrivals" in ran.stdout


def test_a_worker_killed_in_mid_run_makes_the_run_invalid_and_is_named(project):
    """The others take over what is not due yet; what it never told is counted as failed."""
    process = project.start("load", "speed=fast", "--rate", "40", "--for", "6s", "--workers", "2")
    while "offering" not in process.stderr.readline():
        assert process.poll() is None
    time.sleep(2)
    os.kill(generators(process.pid)[0], signal.SIGKILL)
    out, _ = process.communicate(timeout=60)
    told = result(project)
    assert process.returncode == 3
    assert told["due"] == told["overall"]["requests"] == 240
    assert told["lost"] == told["overall"]["outcomes"]["not sent"] > 0
    assert "fail: workers: worker" in out
    assert sorted(bool(one["ended"]) for one in told["workers"]) == [False, True]


def test_what_was_recorded_is_sealed_and_adds_up(project):
    project.run("load", "speed=fast", "--rate", "40", *SHORT)
    folder = project.runs()[-1]
    _, block, _ = read_load_journal(folder)
    assert read_recording(folder, block.requests).total == block.due == 120


def test_a_broken_threshold_is_exit_code_1(project):
    ran = project.run("load", "answer=failing", "--rate", "40", *SHORT, "--threshold", "errors<5%")
    assert ran.returncode == 1, ran.stderr
    assert "✗ errors<5%" in ran.stdout
    assert "5xx" in ran.stdout


def test_a_threshold_that_says_abort_ends_the_run(project):
    ran = project.run(
        "load", "answer=failing", "--rate", "40", "--for", "60s", "--warm-up", "500ms",
        "--threshold", "errors<5% over 2s abort",
    )  # fmt: skip
    assert ran.returncode == 1, ran.stderr
    assert result(project)["stop_reason"] == "a threshold broke: errors<5% over 2s abort"
    assert result(project)["due"] < 60 * 40


def test_a_threshold_on_a_name_that_never_came_up_is_no_pass(project):
    ran = project.run("load", "--rate", "40", *SHORT, "--threshold", "GET /typo: p50<1s")
    assert ran.returncode == 3, ran.stderr
    assert "could not be told" in ran.stdout


def test_a_server_that_cannot_keep_up_is_told_as_saturated(project):
    """Slow serves one request in 4 ms, so 250/s at most: of 600/s, most cannot be answered."""
    (project.folder / "loadstone.toml").write_text(
        (project.folder / "loadstone.toml").read_text()
        + 'most_users = 20\nmost_backlog = 50\ndrain = "1s"\nwarm_up = "100ms"\n'
    )
    ran = project.run("load", "speed=slow", "--rate", "600", "--for", "3s", "--threshold", "errors<1%")
    told = result(project)
    assert ran.returncode == 1, ran.stderr
    assert told["saturated"]
    counted = told["overall"]["outcomes"]
    assert counted["not sent"] == told["not_sent"] > 0
    assert counted["ok"] + counted["not sent"] + counted.get("timeout", 0) == told["due"] == 1800


def test_the_closed_model_is_named_so(project):
    ran = project.run("load", "speed=fast", "--users", "3", "--for", "2s")
    assert ran.returncode == 0, ran.stderr
    assert "closed model: 3 users with think time" in ran.stdout
    assert result(project)["plan"]["model"] == "closed"


def test_the_same_seed_sends_the_same(project):
    """What is asked for is random; the names carry it here."""
    scenario = project.folder / "browse.py"
    scenario.write_text(scenario.read_text().replace(', name="/page"', ""))
    seen = []
    for seed in ("7", "7", "8"):
        project.run("load", "speed=fast", "--rate", "poisson:40", *SHORT, "--seed", seed)
        seen.append({one["endpoint"]: one["requests"] for one in result(project)["endpoints"]})
    assert seen[0] == seen[1] != seen[2]


def test_a_plan_beyond_the_generator_is_refused_with_the_remedy(project):
    ran = project.run("load", "speed=fast", "--rate", "500000", *SHORT)
    assert ran.returncode == 3
    assert "beyond what this generator can send" in ran.stderr
    assert "--workers" in ran.stderr


def test_a_server_that_dies_is_named(project):
    ran = project.run("load", "life=short", "--rate", "100", "--for", "10s")
    assert ran.returncode == 3
    assert "exited with code 9" in ran.stderr
    assert "out of luck" in ran.stderr


def test_an_interrupted_run_reports_what_it_measured(project):
    process = project.start("load", "speed=fast", "--rate", "40", "--for", "60s", "--warm-up", "200ms")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and "offering" not in process.stderr.readline():
        pass
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "INTERRUPTED" in out
    assert result(project)["overall"]["requests"] > 0


def test_recorded_traffic_is_replayed_at_its_times(project):
    rows = [
        f'10.0.0.1 - - [10/Oct/2026:13:55:{second:02d} +0000] "GET /page/{second} HTTP/1.1" 200 5'
        for second in (1, 1, 2, 4)
    ]
    (project.folder / "access.log").write_text("\n".join(rows))
    made = project.run("scenario", "from-log", "access.log", "--out", "replayed.py")
    assert made.returncode == 0, made.stderr
    ran = project.run(
        "load", "speed=fast", "--scenario", "replayed.py", "--rate", "replay:replayed.requests.jsonl"
    )
    assert ran.returncode == 0, ran.stderr
    told = result(project)
    assert (told["due"], told["endpoints"][0]["endpoint"]) == (4, "GET /page/{id}")
    assert told["plan"]["duration_s"] == pytest.approx(3.0, abs=0.01)


def test_a_gain_shows_under_load(project):
    ran = project.run(
        "compare", "speed=slow", "speed=fast", "--lane", "load", "--rate", "60", "--budget", "75s"
    )
    told = json.loads((project.runs()[-1] / "result.json").read_text())
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (p50,) = [one for one in told["contrasts"] if one["metric"] == "latency_p50" and one["endpoint"] is None]
    assert (p50["lane"], p50["verdict"]) == ("load", "improved")
    assert p50["effect"]["high"] < 0
    assert told["verdict"]["verdict"] == "improved"
    assert re.search(r"p50 latency\s", ran.stdout)
    assert find_processes(told["run"]["id"]) == []
    assert project.run("verify").returncode == 0
    recording = next((project.runs()[-1] / "recordings").iterdir())
    recording.write_bytes(recording.read_bytes() + b"x")
    tampered = project.run("verify")
    assert tampered.returncode == 3
    assert "was changed" in tampered.stdout


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("load", "--rate", "50:300"), "a ramp has no duration"),
        (("load",), "there is no load"),
        (("load", "--rate", "5", "--users", "5"), "not by both"),
        (("load", "--rate", "5", "--threshold", "p99"), "there is no comparison"),
        (("compare", "speed=slow", "speed=fast", "--rate", "5"), "only the load lane offers a rate"),
        (("compare", "speed=slow", "speed=fast", "--lane", "load"), "there is no load"),
        (
            ("compare", "speed=slow", "speed=fast", "--lane", "load", "--rate", "5", "--budget", "30s"),
            "too short for a verdict under load",
        ),
        (("scenario", "from-har", "none.har"), "cannot be read"),
    ],
)
def test_wrong_use_is_exit_code_2_with_a_remedy(project, words, problem):
    ran = project.run(*words)
    assert ran.returncode == 2
    assert problem in ran.stderr
