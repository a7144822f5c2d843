"""`loadstone compare` as a user runs it, on a small target of somebody's."""

import json
import os
import re
import signal
import time
from contextlib import suppress
from pathlib import Path

import jsonschema
import pytest

from loadstone.lanes.profile import FORBIDDEN
from loadstone.record.result import json_schema
from loadstone.target.processes import find_processes

QUICK = ("--budget", "25s")


def last_result(project) -> dict:
    return json.loads((project.runs()[-1] / "result.json").read_text())


def nothing_left(project) -> bool:
    """Nothing that runs was started for a run of this project."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        mine = [pid for pid in _everything() if str(project.folder) in _words(pid)]
        if not mine:
            return True
        time.sleep(0.1)
    return False


def _everything() -> list[int]:
    return [
        int(path.name)
        for path in Path("/proc").iterdir()
        if path.name.isdigit() and int(path.name) != os.getpid()
    ]


def _words(pid: int) -> str:
    told = ""
    for name in ("cmdline", "environ"):
        try:
            told += (Path("/proc") / str(pid) / name).read_bytes().decode(errors="replace")
        except OSError:
            continue
    with suppress(OSError):
        told += str((Path("/proc") / str(pid) / "cwd").readlink())
    return told


def test_a_gain_is_improved(improved):
    _, ran = improved
    assert ran.returncode == 0, ran.stderr
    assert "improved" in ran.stdout
    assert "\x1b" not in ran.stdout + ran.stderr


def test_a_browser_sees_the_run_go_on_and_is_left_with_the_report(improved, live):
    """Intervals look by look, and at the end the very page that the run's folder holds."""
    project, _ = improved
    names = [name for name, _ in live.events]
    bodies = [told["body"] for name, told in live.events if name == "shown"]
    assert "Running" in live.first
    assert len(set(bodies)) > 1
    assert names[-1] == "over"
    assert names.count("over") == 1
    assert "Look by look" not in bodies[0]
    assert "6 generations</th>" in bodies[-1]
    assert live.last == (project.runs()[-1] / "report.html").read_text()


def test_the_result_follows_the_published_schema(improved):
    project, _ = improved
    result = last_result(project)
    jsonschema.validate(result, json_schema())
    assert result == json.loads((project.folder / "out.json").read_text())
    assert result["verdict"]["verdict"] == "improved"
    assert result["prices"] is not None
    assert all(one["memory_bytes"] for one in result["probe"]["footprints"])


def test_the_slowest_requests_are_told_with_what_finds_them_again(improved):
    """Timed ones by generation and pair; probed ones by a trace context that the target was sent."""
    project, _ = improved
    result = last_result(project)
    assert len([one for one in result["slowest"] if one["variant"] == "before"]) == 20
    probed = result["probe"]["slowest"]
    assert probed
    for one in probed:
        assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-01", one["traceparent"])
        assert one["target"].startswith("/")


def test_the_run_folder_holds_everything(improved):
    project, _ = improved
    (run,) = project.runs()
    names = {path.name for path in run.iterdir()}
    assert {"journal.jsonl", "result.json", "report.html", "report.md", "chunks"} <= names
    lines = [json.loads(line) for line in (run / "journal.jsonl").read_text().splitlines()]
    assert [line["kind"] for line in lines][:2] == ["plan", "probe"]
    assert lines[-1]["kind"] == "end"
    assert sum(line["kind"] == "generation" for line in lines) >= 6


def test_a_finished_run_leaves_nothing_running(improved):
    project, _ = improved
    assert nothing_left(project)
    assert not list((project.folder / ".loadstone" / "slots").glob("*"))


def test_reports_are_built_again_from_the_result(improved):
    project, _ = improved
    (run,) = project.runs()
    page = (run / "report.html").read_bytes()
    (run / "report.html").unlink()
    assert project.run("report", "build", str(run)).returncode == 0
    exported = project.run("report", "export", str(run), "--as", "openmetrics").stdout
    ended = {line.rpartition(" ")[2] for line in exported.splitlines() if "latency_mean_seconds{" in line}
    generations = json.loads((run / "result.json").read_text())["generations"]
    assert len(ended) == len(generations) + 1, "each generation's end, and the run's"
    assert (run / "report.html").read_bytes() == page


def test_the_newest_report_is_found(improved):
    project, _ = improved
    ran = project.run("report", "open", "--print")
    assert ran.returncode == 0
    assert ran.stdout.strip() == str(project.runs()[-1] / "report.html")


def test_a_run_differs_in_nothing_from_itself(improved):
    project, _ = improved
    run = str(project.runs()[-1])
    ran = project.run("report", "diff", run, run)
    assert ran.returncode == 0


def test_a_loss_is_regressed_and_json_stands_alone_on_standard_output(project):
    ran = project.run("compare", "speed=fast", "speed=slow", *QUICK, "--json", "-", "--quiet")
    assert ran.returncode == 1
    assert json.loads(ran.stdout)["verdict"]["verdict"] == "regressed"


def test_other_payloads_make_the_run_invalid_with_a_readable_difference(project):
    ran = project.run("compare", "answer=right", "answer=wrong", *QUICK)
    assert ran.returncode == 3
    assert "$.items[2]" in ran.stdout + ran.stderr
    assert last_result(project)["verdict"]["verdict"] == "invalid"


def test_failing_is_never_an_improvement(project):
    """The failing side answers something else when it is probed: the run is invalid at once."""
    ran = project.run("compare", "answer=right", "answer=failing", *QUICK)
    assert ran.returncode in (1, 3)
    assert last_result(project)["verdict"]["verdict"] in ("invalid", "regressed")


def test_deferred_work_is_noticed(project):
    ran = project.run("compare", "speed=slow", "speed=deferred", "--budget", "31s")
    result = last_result(project)
    gaps = next(check for check in result["checks"] if check["name"] == "quiet gaps")
    assert gaps["status"] == "fail", gaps
    assert ran.returncode == 3


def test_a_target_without_a_database_has_no_queries_to_decide_by(project):
    ran = project.run("compare", "speed=slow", "speed=fast", "--lane", "probe", "--require-verdict")
    assert ran.returncode == 4, ran.stderr
    assert "no query could be counted" in ran.stdout
    assert "Payloads equal" in ran.stdout


def test_other_payloads_are_found_without_any_timing(project):
    ran = project.run("compare", "answer=right", "answer=wrong", "--lane", "probe")
    assert ran.returncode == 3
    assert "$.items[2]" in ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("speed=slow", "speed=fsat"), "did you mean 'fast'?"),
        (("sped=slow", "speed=fast"), "did you mean 'speed'?"),
        (("speed=slow", "speed=slow"), "both variants are the same"),
        (("speed=slow", "speed=fast", "--budget", "10s"), "too short"),
        (("speed=slow", "speed=fast", "--scenario", "bowse"), "there is no scenario"),
        (("speed=slow", "speed=fast", "--config", "nowhere.toml"), "cannot be read"),
        (("speed=slow", "speed=fast", "--json", "no/such/folder.json"), "cannot be written"),
        (("speed=slow", "speed=fast", "--json", "."), "it is a folder"),
        (("speed=slow", "speed=fast", "--alpha", "25%"), "outside"),
        (("speed=slow", "speed=fast", "--with", "speed=slow"), "compared and held at once"),
        (("speed=slow", "speed=fast", "--generations", "3"), "--generations"),
        (("speed=slow",), "Missing argument"),
    ],
)
def test_wrong_use_is_one_clear_error_and_exit_code_2(project, words, says):
    ran = project.run("compare", *words)
    assert ran.returncode == 2
    assert says in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not project.runs()


def test_a_malformed_file_is_named_with_its_line(project):
    with (project.folder / "loadstone.toml").open("a") as file:
        file.write("\n[oops\n")
    line = len((project.folder / "loadstone.toml").read_text().splitlines())
    ran = project.run("toggles")
    assert ran.returncode == 2
    assert f"loadstone.toml:{line}" in ran.stderr


def test_an_unwritable_report_folder_is_one_clear_error(project):
    (project.folder / "reports").write_text("a file in the way")
    ran = project.run("compare", "speed=slow", "speed=fast")
    assert ran.returncode == 2
    assert "cannot be written" in ran.stderr


@pytest.mark.parametrize(
    ("life", "says"), [("refusing", "the license has expired"), ("stillborn", "waiting for a sign")]
)
def test_a_server_that_does_not_come_up_shows_its_log(project, life, says):
    ran = project.run("compare", "life=long", f"life={life}", *QUICK)
    assert ran.returncode == 3
    assert says in ran.stderr
    assert "Traceback" not in ran.stderr
    assert nothing_left(project)


def test_a_server_that_dies_makes_the_run_invalid_and_keeps_its_report(project):
    ran = project.run("compare", "life=long", "life=short", *QUICK)
    assert ran.returncode == 3
    assert "out of luck" in ran.stderr
    result = last_result(project)
    assert result["run"]["status"] == "invalid"
    assert any("out of luck" in reason for reason in result["verdict"]["reasons"])
    assert nothing_left(project)


def test_a_reader_that_goes_away_does_not_end_the_run(project):
    process = project.start("compare", "speed=slow", "speed=fast", *QUICK)
    process.stderr.close()
    process.stdout.close()
    assert process.wait(timeout=60) == 0
    assert last_result(project)["verdict"]["verdict"] == "improved"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_keeps_what_it_measured(project, number):
    process = project.start(
        "compare", "speed=slow", "speed=fast", "--budget", "30s", preexec_fn=_mind_hangups
    )
    _wait_for_generations(project, 2)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    result = last_result(project)
    assert result["run"]["status"] == "partial"
    assert len(result["generations"]) >= 2
    assert nothing_left(project)


def test_a_run_without_a_planned_end_ends_when_it_is_decided(project):
    """From a minute on stacks are sampled, tracks that were cut short or not, where a machine allows it."""
    words = ("--anytime", "--budget", "60s", "--gate", "latency_mean", "--json", "-")
    ran = project.run("compare", "speed=slow", "speed=fast", *words)
    assert ran.returncode == 0, ran.stderr
    result = json.loads(ran.stdout)
    assert result["experiment"]["stopping"] == "anytime"
    assert result["verdict"]["verdict"] == "improved"
    assert len(result["generations"]) < result["experiment"]["max_generations"]
    assert "until decided or interrupted" in ran.stderr
    assert project.run("verify").returncode == 0
    sides = result["profile"]["sides"]
    assert [side["variant"] for side in sides] == ["before", "after"]
    assert all(bool(side["samples"]) != (side["unavailable"] == FORBIDDEN) for side in sides), sides
    assert '<section id="profile"' in (project.runs()[-1] / "report.html").read_text()


def test_kill_9_leaves_nothing_running(project):
    process = project.start("compare", "speed=slow", "speed=fast", "--budget", "60s")
    _wait_for_generations(project, 1)
    process.kill()
    process.communicate(timeout=30)
    assert nothing_left(project)
    (run,) = project.runs()
    assert not (run / "result.json").exists()
    assert json.loads((run / "journal.jsonl").read_text().splitlines()[0])["kind"] == "plan"


def _mind_hangups() -> None:
    """Undo what nohup does, under which the tests may run."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def _wait_for_generations(project, count: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        journals = list((project.folder / "reports").glob("*/journal.jsonl"))
        if journals and journals[0].read_text().count('"kind":"generation"') >= count:
            return
        time.sleep(0.1)
    raise AssertionError("no generation was measured")


def test_token_scan_finds_nothing_for_a_made_up_token():
    assert find_processes("no-such-run-token") == []
