"""Two runs at the same time on one machine: neither disturbs the other's state, and both are told."""

import json

from projects import make_project

from loadstone.target.clean import clean_state
from loadstone.target.neighbours import neighbours, presence

LOAD = ("load", "speed=fast", "--rate", "20", "--warm-up", "200ms", "--json")


def test_a_run_is_seen_by_others_for_as_long_as_it_lives(tmp_path):
    with presence("0123456789ab", tmp_path) as seen:
        assert str(tmp_path) in neighbours("another")
        assert str(tmp_path) not in neighbours("0123456789ab")
    assert str(tmp_path) not in neighbours("another")
    assert not seen.exists()


def test_what_a_killed_run_left_is_no_neighbour(tmp_path):
    with presence("0123456789ac", tmp_path) as seen:
        (seen / "lock").unlink()
        (seen / "lock").touch()  # held by nobody
        assert str(tmp_path) not in neighbours("another")


def test_two_runs_at_once_end_well_and_are_warned_of_each_other(tmp_path):
    project = make_project(tmp_path)
    config = tmp_path / "loadstone.toml"
    config.write_text(config.read_text() + '\n[load]\nmost_lag = "5s"\n')
    first = project.start(*LOAD, "--for", "8s")
    while "offering" not in first.stderr.readline():
        assert first.poll() is None
    refused = project.run(*LOAD, "--for", "1s", env={"LOADSTONE_ALONE": "1"})
    assert refused.returncode == 2
    assert "another run measures on this machine" in refused.stderr
    assert str(tmp_path) in refused.stderr
    second = project.run(*LOAD, "--for", "1s")
    out, err = first.communicate(timeout=60)
    assert "warning: other runs measure on this machine" in second.stderr
    for ran, told in ((first, out), (second, second.stdout)):
        result = json.loads(told)
        assert ran.returncode == 0, err
        assert result["overall"]["outcomes"] == {"ok": result["due"]}
    assert "other runs" in {check["name"] for check in json.loads(second.stdout)["checks"]}
    clean_state(tmp_path / ".loadstone")
