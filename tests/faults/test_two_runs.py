"""Two runs at the same time on one machine: each is told of the other."""

import json

from projects import make_project

from loadstone.target.clean import clean_state
from loadstone.target.neighbours import neighbours, presence

LOAD = ("load", "speed=fast", "--rate", "20", "--for", "2s", "--warm-up", "200ms", "--json")


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


def test_a_run_beside_another_is_refused_where_that_is_wanted_and_warned_otherwise(tmp_path):
    project = make_project(tmp_path)
    config = tmp_path / "loadstone.toml"
    config.write_text(config.read_text() + '\n[load]\nmost_lag = "5s"\n')
    with presence("0123456789ae", tmp_path / "elsewhere"):
        refused = project.run(*LOAD, env={"LOADSTONE_ALONE": "1"})
        warned = project.run(*LOAD)
    assert refused.returncode == 2
    assert "another run measures on this machine" in refused.stderr
    assert str(tmp_path / "elsewhere") in refused.stderr
    assert warned.returncode == 0, warned.stderr
    assert "warning: other runs measure on this machine" in warned.stderr
    told = json.loads(warned.stdout)
    assert told["overall"]["outcomes"] == {"ok": told["due"]}
    assert "other runs" in {check["name"] for check in told["checks"]}
    clean_state(tmp_path / ".loadstone")
