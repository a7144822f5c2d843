"""`loadstone doctor --noise` as a user runs it, and what compare makes of it."""

import json
import signal
import time
from contextlib import suppress

import psutil
import pytest

from loadstone.record.machine import describe_machine
from loadstone.record.noise import FILE

QUICK = ("doctor", "--noise", "--for", "20s")


@pytest.fixture
def places(tmp_path):
    """The user's cache and the folder of temporary files, both empty, beside the project."""
    found = {name: tmp_path.parent / f"{tmp_path.name}-{name}" for name in ("cache", "temporary")}
    for folder in found.values():
        folder.mkdir()
    return {"XDG_CACHE_HOME": str(found["cache"]), "TMPDIR": str(found["temporary"])}, found


def left_by(project, found) -> list[str]:
    """Return what still runs with these places in its environment, and the files that were left in them."""
    running = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("TMPDIR") == str(found["temporary"]):
                running.append(" ".join(process.cmdline()))
    files = [
        path for place in (found["temporary"], project.folder / ".loadstone") for path in place.rglob("*")
    ]
    return running + [path.name for path in files if path.is_file()]


def test_a_machine_measured_in_a_project_is_planned_for(project, places):
    environment, found = places
    ran = project.run(*QUICK, env=environment)
    assert ran.returncode == 0, ran.stderr
    assert "Minutes to see a change of the mean latency" in ran.stdout
    kept = json.loads((project.folder / ".loadstone" / FILE).read_text())["profiles"][0]
    assert kept["fingerprint"] == describe_machine().fingerprint
    assert kept["generations"] >= 6
    assert left_by(project, found) == [FILE]
    assert not (project.folder / "reports").exists()

    compared = project.run("compare", "speed=slow", "speed=fast", "--budget", "25s", env=environment)
    assert compared.returncode == 0, compared.stderr
    assert f"noise measured {kept['measured_at'][:10]}" in compared.stderr

    assert FILE in project.run("clean").stdout
    assert left_by(project, found) == []


def test_without_a_project_it_is_kept_for_the_user(project, places):
    environment, found = places
    (project.folder / "loadstone.toml").unlink()
    ran = project.run(*QUICK, "--request", "8ms", "--json", env=environment)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert told["kept"] == str(found["cache"] / "loadstone" / FILE)
    assert [path.name for path in (found["cache"] / "loadstone").iterdir()] == [FILE]
    assert told["noise"]["pair_sd"] > 0
    assert told["noise"]["start_sd_low"] < told["noise"]["start_sd"] < told["noise"]["start_sd_high"]
    assert {one["request_s"] for one in told["outlook"]} == {0.008}
    assert left_by(project, found) == []


def test_it_can_be_interrupted_and_leaves_nothing(project, places):
    environment, found = places
    process = project.start("doctor", "--noise", env=environment)
    for line in process.stderr:
        if line.startswith("generation 2"):
            break
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert left_by(project, found) == []


def test_a_time_too_short_is_refused_before_anything_is_started(project, places):
    ran = project.run("doctor", "--noise", "--for", "3s", env=places[0])
    assert ran.returncode == 2
    assert "--for" in ran.stderr


def test_options_of_the_measurement_go_with_it(project):
    assert project.run("doctor", "--for", "20s").returncode == 2
