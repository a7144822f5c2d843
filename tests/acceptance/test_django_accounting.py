"""The middleware of `loadstone[django]`: what a Django app says of its own queries and cache look-ups."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from projects import Project

from loadstone.server_timing import decode
from loadstone.target.clean import clean_state

APP = Path(__file__).parents[1] / "fixtures" / "counted_django.py"
CONFIG = """\
[target]
command = [
  "{python}", "-m", "gunicorn", "--no-control-socket", "--worker-class", "gthread", "--bind", "{host}:{port}",
  "counted_django:application",
]
health = "/page/1"

[data]
postgres = false
redis = false

[compare]
scenario = "browse.py"

[toggles.orm]
choices = ["naive", "one"]
default = "naive"
env = "APP_ORM"
"""
SCENARIO = """\
from locust import FastHttpUser, task

class Visitor(FastHttpUser):
    @task
    def look(self):
        self.client.get("/page/1", name="/page")
"""


def ask(**more):
    """Return what the app's answers say, asked in a process of its own."""
    kept = {name: value for name, value in os.environ.items() if name not in {"LOADSTONE_PROBE", "APP_ORM"}}
    done = subprocess.run(
        [sys.executable, str(APP)], env={**kept, **more}, capture_output=True, text=True, check=True
    )
    return done.stdout.split("\n")[:2]


def test_answers_say_queries_and_look_ups_where_they_are_probed():
    sync, other = (decode(one) for one in ask(LOADSTONE_PROBE="1", APP_ORM="naive"))
    assert (sync.queries, sync.hits, sync.misses) == (
        3,
        0,
        4,
    )  # three of several, and one that is never there
    assert sync.database_ms > 0
    assert sync.rows is None  # SQLite does not say
    assert (other.queries, other.hits, other.misses) == (3, 1, 4)  # get_or_set reads again what it has set


def test_nothing_is_said_nor_counted_where_nobody_probes():
    assert ask() == ["None", "None"]


@pytest.fixture
def counted(tmp_path):
    """A project with the app."""
    (tmp_path / "loadstone.toml").write_text(CONFIG)
    (tmp_path / "browse.py").write_text(SCENARIO)
    (tmp_path / "counted_django.py").write_text(APP.read_text())
    yield Project(tmp_path)
    clean_state(tmp_path / ".loadstone")


def test_the_probe_believes_the_app_where_no_tap_can_see(counted):
    ran = counted.run("compare", "orm=naive", "orm=one", "--lane", "probe", "--json", "-", "--quiet")
    assert ran.returncode == 0, ran.stderr
    result = json.loads(ran.stdout)
    facts = {one["fact"]: (one["before"], one["after"]) for one in result["facts"]}
    assert facts["queries"] == (3.0, 1.0)
    assert "rows" not in facts
    assert facts["cache_misses"] == (3.0, 3.0)
    assert result["probe"]["sql_source"] == "as the app says itself"
    assert all(one["accounting"]["database_us"] > 0 for one in result["probe"]["facts"])
