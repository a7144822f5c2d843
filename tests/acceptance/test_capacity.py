"""`loadstone capacity` as a user runs it, on a small target of somebody's.

Slow serves one request in 4 ms, so 250/s at most whatever the machine; fast one in 1 ms.
"""

import json
import signal
import time

import jsonschema
import psutil
import pytest
from live_pages import watch
from projects import Project, make_project

from loadstone.record.capacity_result import capacity_schema

SLO = ("--slo", "p95<50ms")
SHORT = ("--window", "1s", "--repeats", "1", "--budget", "3m")
MOST_OF_SLOW = 250 * 1.05
"""A window of 1 s may hide an overload of 5% below a limit of 50 ms."""


def patient(project: Project) -> Project:
    """A machine that is busy with other tests hands work out late; that is not what these are about."""
    config = project.folder / "loadstone.toml"
    config.write_text(config.read_text() + '\n[load]\nmost_lag = "5s"\nwarm_up = "500ms"\n')
    return project


@pytest.fixture
def project(project):
    return patient(project)


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """One real search, looked at by several tests; they change nothing of it."""
    project = patient(make_project(tmp_path_factory.mktemp("project")))
    words = ("speed=slow", "speed=fast", *SLO, *SHORT, "--max-rate", "350", "--json", "-")
    return project, project.run("capacity", *words)


def test_a_servers_capacity_is_found_between_a_rate_that_kept_and_one_that_broke(searched):
    _, ran = searched
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    slow, fast = told["estimates"]
    assert slow["bound"] == "found"
    assert 0 < slow["rps"] <= MOST_OF_SLOW
    assert (fast["bound"], fast["rps"]) == ("at_least", 350.0)
    (gain,) = told["gains"]
    assert (gain["bound"], gain["verdict"]) == ("at_least", "improved")
    assert told["headline"].startswith("speed=fast raises capacity from")
    assert "requests/s at p95<50ms, errors<1%" in told["headline"]


def test_the_windows_of_both_took_turns(searched):
    told = json.loads(searched[1].stdout)
    fast = sum(one["variant"] == 1 for one in told["windows"])
    first = [one["variant"] for one in told["windows"]]
    assert fast > 1
    lines = (searched[0].runs()[-1] / "capacity.jsonl").read_text().splitlines()
    order = [line["variant"] for line in map(json.loads, lines) if line["kind"] == "window"]
    assert sorted(order) == sorted(first)
    assert {tuple(sorted(order[place : place + 2])) for place in range(0, 2 * fast, 2)} == {(0, 1)}


def test_the_result_is_what_the_schema_says(searched):
    jsonschema.validate(json.loads(searched[1].stdout), capacity_schema())


def test_the_summary_goes_to_the_other_stream_and_names_the_report(searched):
    project, ran = searched
    assert "FOUND" in ran.stderr
    assert "by rate (│ is the limit)" in ran.stderr
    assert "speed=slow at " in ran.stderr
    page = (project.runs()[-1] / "report.html").read_text()
    assert page.startswith("<!doctype html>")
    assert (project.runs()[-1] / "report.md").read_text().startswith("# FOUND")


def test_a_run_is_verified_and_its_pages_built_again(searched):
    project, _ = searched
    folder = project.runs()[-1]
    verified = project.run("verify")
    assert verified.returncode == 0, verified.stdout
    page = (folder / "report.html").read_bytes()
    (folder / "report.html").unlink()
    assert project.run("report", "open", "--print").returncode == 0
    assert (folder / "report.html").read_bytes() == page


def test_a_browser_sees_windows_come_and_is_left_with_the_report(project):
    words = ("speed=fast", *SLO, *SHORT, "--max-rate", "60", "--live")
    ran, seen = watch(project, "capacity", *words)
    bodies = [told["body"] for name, told in seen.events if name == "shown"]
    assert "Nothing is measured yet" in seen.first
    assert any("Windows, the latest first" in body and ">kept<" in body for body in bodies), ran.stderr
    assert any("Found, so far" in body for body in bodies)
    said = [told["say"] for name, told in seen.events if name == "shown" and told["say"]]
    assert len(said) == 1
    assert said[0].startswith("speed=fast: ")
    assert seen.events[-1] == ("over", {})
    assert seen.last == (project.runs()[-1] / "report.html").read_text()


def test_several_workers_share_every_window_and_add_up(project):
    ran = project.run("capacity", "speed=fast", *SLO, *SHORT, "--max-rate", "60", "--workers", "2")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "2 workers" in ran.stderr
    told = json.loads((project.runs()[-1] / "capacity.json").read_text())
    assert told["plan"]["workers"] == 2
    assert [(one["bound"], one["rps"]) for one in told["estimates"]] == [("at_least", 60.0)]
    lines = (project.runs()[-1] / "capacity.jsonl").read_text().splitlines()
    blocks = [line["block"] for line in map(json.loads, lines) if line["kind"] == "window"]
    for block in blocks:
        shares = [worker["due"] for worker in block["workers"]]
        assert sum(shares) == block["due"] == block["planned"] > 0
        assert max(shares) - min(shares) <= 1
        assert (len(shares), block["mismatch"]) == (2, "")
    requests = [sum(worker["requests"] for worker in block["workers"]) for block in blocks]
    assert requests == [window["requests"] for window in told["windows"]]


def test_nothing_is_left_running(searched):
    project, _ = searched
    assert _living(project) == []


def test_an_interrupted_search_reports_what_it_measured_and_leaves_nothing(project):
    process = project.start("capacity", "speed=fast", *SLO, *SHORT)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and ": kept" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "INTERRUPTED" in out
    told = json.loads((project.runs()[-1] / "capacity.json").read_text())
    assert told["status"] == "partial"
    assert told["windows"]
    assert "kept the objective" in told["headline"]
    assert _living(project) == []
    assert project.run("verify").returncode == 0


def test_a_target_that_starts_no_more_processes_than_before_is_noticed(project):
    easy = (*SLO, "--processes", "1,2", "--max-rate", "60")
    ran = project.run("capacity", "speed=fast", *SHORT, *easy)
    assert ran.returncode == 3, ran.stderr
    assert "target.processes_env" in ran.stdout


def test_a_server_that_dies_is_named(project):
    ran = project.run("capacity", "life=short", *SLO, *SHORT)
    assert ran.returncode == 3
    assert "exited with code 9" in ran.stderr


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("capacity", "speed=slow"), "there is no objective"),
        (("capacity", "speed=slow", "--slo", "p99"), "there is no comparison"),
        (("capacity", "speed=slow", "speed=slow", *SLO), "are the same variant"),
        (("capacity", "speed=slow", *SLO, "--for-rate", "100"), "how many processes a rate needs"),
    ],
)
def test_wrong_use_is_exit_code_2_with_a_remedy(project, words, problem):
    ran = project.run(*words)
    assert ran.returncode == 2
    assert problem in ran.stderr
    assert "remedy:" in ran.stderr


def _living(project: Project) -> list[int]:
    """Return the processes that work in the project's folder, as its servers do."""
    folder = str(project.folder.resolve())
    return [process.pid for process in psutil.process_iter(["cwd"]) if process.info["cwd"] == folder]
