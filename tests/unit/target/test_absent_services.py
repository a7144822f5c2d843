"""What is shown, read and closed when services are absent, foreign or gone."""

import signal
from pathlib import Path
from types import SimpleNamespace

import pytest
import redis

from loadstone.config.model import Recipe, Variant
from loadstone.errors import TargetError
from loadstone.target import external, placeholders, processes
from loadstone.target.clean import other_runs, remove_husk, run_folder
from loadstone.target.external import ExternalDatabases
from loadstone.target.external_redis import ExternalCaches
from loadstone.target.folders import State
from loadstone.target.generation import Started
from loadstone.target.placeholders import Place
from loadstone.target.preparation import WAITING
from loadstone.target.processes import Supervisor
from loadstone.target.servers import Server
from loadstone.target.slots import Database, RedisDatabase

VARIANT = Variant(
    name="before",
    label="before",
    argv=(),
    directory=Path("/"),
    env={},
    recipe=Recipe(prepare=(), size="small", seed=3),
    health_path="/",
    python=Path("/usr/bin/python3"),
)


class GoneSession:
    """A session whose server has gone after some answers."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.statements = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def run(self, statement, parameters=None):  # noqa: D102 - as Session.run
        del parameters
        self.statements.append(statement)
        if self.answers:
            return self.answers.pop(0)
        raise TargetError("the database refused", cause="it has gone", remedy="start it")


def make_state(folder):
    state = State(folder / "state", None)
    for each in (state.templates, state.slots):
        each.mkdir(parents=True)
    return state


@pytest.mark.parametrize(
    ("database", "cache", "expected"),
    [
        (None, None, (0.0, 0.0)),
        (Database("postgresql://x"), RedisDatabase("redis://x"), (None, None)),
        (Database("postgresql://x"), None, (None, 0.0)),
    ],
)
def test_an_absent_service_uses_no_cpu_and_a_foreign_one_cannot_be_read(database, cache, expected):
    server = Server(VARIANT, PLACE, SimpleNamespace(pid=0))
    reading = Started(0, server, database, cache).cpu()
    assert (reading.database_s, reading.cache_s) == expected


PLACE = Place(21_000, "postgresql://u:sesame@h/db", "redis://:secret@h/0", Path("/scratch"))


def test_a_command_is_shown_filled_and_without_passwords():
    words = ("{python}", "manage.py", "--size", "{size}", "--seed={seed}", "{database_url}", "{redis_url}")
    shown = placeholders.shown(words, VARIANT, PLACE)
    assert shown == "manage.py --size small --seed=3 postgresql://…@h/db redis://…@h/0"


def test_databases_of_a_server_that_is_gone_are_left_without_an_error(monkeypatch):
    mark = f"{external.MARKER} run 0a1b"
    gone = GoneSession([("180000",)], [(True,)], [], [("loadstone_a", mark), ("loadstone_b", mark)])
    monkeypatch.setattr(external, "session", lambda _: gone)
    databases = ExternalDatabases("postgresql://x", token="0a1b", home=Path("/"), kitchen=None)
    databases.close()
    tried = len(gone.statements)
    databases.close()
    assert tried == 6  # version, lock, orphans, ours, and an attempt at each of the two


def test_caches_of_a_server_that_is_gone_are_left_without_an_error():
    caches = ExternalCaches("redis://127.0.0.1:1/0", token="0a1b")
    caches._claimed = {each: redis.Redis(port=1, retry=None) for each in (0, 1)}
    caches.close()
    caches.close()
    assert caches._claimed == {}


def test_a_reaper_that_does_not_end_is_killed(monkeypatch):
    monkeypatch.setattr(processes, "REAPER_PATIENCE_S", 0.05)
    owner = Supervisor()
    owner._reaper.send_signal(signal.SIGSTOP)
    owner.close()
    owner.close()
    assert owner._reaper.returncode == -signal.SIGKILL


def test_a_lock_held_by_another_is_waited_for_and_told_once(monkeypatch):
    monkeypatch.setattr(external, "_LOCK_INTERVAL_S", 0)
    told = []
    server = GoneSession([(False,)], [(False,)], [(True,)])
    external.lock(server, "name", lambda stage, _: told.append(stage))
    assert told == [WAITING]
    assert len(server.statements) == 3


def test_other_living_runs_are_told_from_dead_ones_and_our_own(tmp_path):
    state = make_state(tmp_path)
    with run_folder(state, "0a1b"), run_folder(state, "2c3d"):
        dead = state.slots / "4e5f"
        dead.mkdir()
        (dead / "lock").touch()
        assert other_runs(state) == ["0a1b", "2c3d"]
        assert other_runs(state, own="2c3d") == ["0a1b"]
    assert other_runs(state) == []


def test_a_husk_is_removed_once_and_its_absence_is_fine(tmp_path):
    state = make_state(tmp_path)
    state.installations.mkdir()  # kept for the next run
    remove_husk(state)
    remove_husk(state)
    assert [path.name for path in state.root.iterdir()] == ["installations"]
