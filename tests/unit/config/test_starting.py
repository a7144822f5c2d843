"""The files that somebody starts with can be read by what reads them."""

import tomllib

import pytest

from loadstone.config.load import load_project
from loadstone.config.starting import Task, scenario, settings, toml


def write(tmp_path, **changes):
    words = {
        "what": "`server {port}`",
        "command": ["server", "{port}"],
        "directory": ".",
        "health": "/health",
        "env": {"A": 'quoted "b"'},
        "prepare": [["{python}", "manage.py", "migrate"]],
        "postgres": True,
        "redis": False,
        "inputs": [],
        "scenario": "scenarios/start.py",
    }
    (tmp_path / "loadstone.toml").write_text(toml(**(words | changes)))
    return load_project(tmp_path / "loadstone.toml")


def test_the_configuration_is_read_and_says_what_was_told(tmp_path):
    project = write(tmp_path)
    assert project.raw.target.env == {"A": 'quoted "b"'}
    assert project.raw.data.prepare == [["{python}", "manage.py", "migrate"]]
    assert project.raw.gate.exact == ["queries", "queries_repeat"]
    assert write(tmp_path, postgres=False, prepare=()).raw.gate.exact == ["response_bytes+20%"]


def test_what_is_commented_out_can_be_taken_in(tmp_path):
    write(tmp_path)
    text = (tmp_path / "loadstone.toml").read_text()
    opened = "\n".join(
        line.removeprefix("# ")
        if line.startswith(("# [", "# choices", "# default", "# env", "# budgets", "# scenario"))
        else line
        for line in text.splitlines()
    )
    told = tomllib.loads(opened)
    assert told["toggles"]["orm"]["choices"] == ["naive", "prefetch"]
    assert told["gate"]["experiments"]["browse"]["scenario"] == "scenarios/start.py"


def test_a_scenario_asks_for_what_answered_well_and_tells_the_rest():
    text = scenario(
        [
            Task("/items", "/items?page=1", "200", good=True, lists=True),
            Task("/items/{id}", "/items/7", "200", good=True, source="/items"),
            Task("/Items", "/Items", "200", good=True),
            Task("/secret", "/secret", "403", good=False),
            Task("/mine", "", "needs X-Token", good=False),
        ]
    )
    compile(text, "start.py", "exec")
    assert 'self.client.get("/items?page=1", name="/items")' in text
    assert 'self.client.get(f"/items/{random.choice(known)}", name="/items/{id}")' in text
    assert "def get_items_2" in text
    assert "#   GET /secret: answered 403" in text
    assert "#   GET /mine: needs X-Token" in text


@pytest.mark.parametrize("path", ['/a"b', "/a\\b", "/ünter", "/%7Bx"])
def test_odd_paths_stay_what_they_are(path):
    text = scenario([Task(path, path, "200", good=True)])
    compile(text, "start.py", "exec")


def test_settings_take_everything_else_from_the_projects_own(monkeypatch, tmp_path):
    (tmp_path / "base_settings.py").write_text(
        'DEBUG = True\nNAME = "kept"\nCACHES = {"default": {"BACKEND": "redis", "LOCATION": "old"}}\n'
        'DATABASES = {"default": {"ENGINE": "sqlite3"}, "other": {}}\n'
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "postgresql://u%40:p%2Fw@127.0.0.1:5433/db")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:7")
    made = {}
    exec(settings("base_settings", redis_caches=["default"]), made)  # noqa: S102 - what is under test
    assert (made["DEBUG"], made["NAME"]) == (False, "kept")
    database = made["DATABASES"]["default"]
    assert (database["USER"], database["PASSWORD"], database["PORT"]) == ("u@", "p/w", "5433")
    assert "other" in made["DATABASES"]
    assert made["CACHES"]["default"]["LOCATION"] == "redis://127.0.0.1:7"
