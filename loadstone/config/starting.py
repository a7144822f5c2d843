"""The files that somebody starts with: a commented `loadstone.toml`, a scenario, settings for Django."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

MOST_TASKS = 12
SETTINGS = "loadstone_settings"
"""Module of the settings that are written beside a project's manage.py."""


@dataclass(frozen=True, slots=True)
class Task:
    """A request of the scenario: how it is sent, and under which name it is told."""

    path: str
    """With `{name}` where a parameter stands."""
    target: str
    """As it was tried."""
    says: str
    """What it answered."""
    good: bool
    lists: bool = False
    source: str = ""
    """The path that lists the ids which stand in this one."""


def toml(
    *,
    what: str,
    command: Sequence[str],
    directory: str,
    health: str,
    env: dict[str, str],
    prepare: Sequence[Sequence[str]],
    postgres: bool,
    redis: bool,
    inputs: Sequence[str],
    scenario: str,
    python: str = "",
    notes: Sequence[str] = (),
) -> str:
    """Return a commented configuration."""
    lines = [
        f"# How Loadstone runs {what}; written by `loadstone init`, to be mended by hand.",
        *(f"# {note}" for note in notes),
        "",
        "[target]",
        f"command = {_array(command)} # {{port}} is where it must listen",
        f"directory = {json.dumps(directory)}",
        f"health = {json.dumps(health)} # answers 200 once it is ready",
    ]
    if python:
        lines.append(f"python = {json.dumps(python)} # what {{python}} stands for")
    lines += [
        "# Commit against commit, each with what its own files pin:",
        '# install = [["{python}", "-m", "pip", "install", "-r", "requirements.txt"]]',
        "",
        "[target.env] # beside the caller's environment",
        *(f"{key} = {json.dumps(value)}" for key, value in env.items()),
        "# An environment variable that switches a change makes a toggle of it:",
        "# [toggles.orm]",
        '# choices = ["naive", "prefetch"]',
        '# default = "naive"',
        '# env = "APP_ORM"',
        "",
        "[data]",
        f"postgres = {str(postgres).lower()} # a PostgreSQL of its own for each variant, as {{database_url}}",
        f"redis = {str(redis).lower()} # the same for {{redis_url}}",
        "prepare = [ # run once on an empty database; add what fills it with data like yours",
        *(f"  {_array(words)}," for words in prepare),
        "]",
        f"inputs = {_array(inputs)} # a change of these files makes the data anew",
        "",
        "[compare]",
        f"scenario = {json.dumps(scenario)}",
        'margin = "2%" # smallest change that matters',
        'budget = "2m"',
        "",
        "[gate] # what `loadstone gate` demands of a commit; see docs/gate.md of Loadstone",
        'budget = "6m"',
        'exact = ["queries", "queries_repeat"]' if postgres else 'exact = ["response_bytes+20%"]',
        "# [gate.experiments.browse]",
        f"# scenario = {json.dumps(scenario)}",
        '# budgets = ["p99<200ms", "errors<0.1%"]',
    ]
    return "\n".join(lines) + "\n"


def settings(base: str, *, redis_caches: Sequence[str]) -> str:
    """Return Django settings that take everything from `base` but where the database and the cache are."""
    lines = [
        '"""Settings for runs of Loadstone: the project\'s own, with the database and cache of a variant."""',
        "",
        "import os",
        "from urllib.parse import unquote, urlsplit",
        "",
        f"from {base} import *",
        "",
        '_database = urlsplit(os.environ["DATABASE_URL"])',
        "",
        "DEBUG = False  # it keeps every query in memory, and is never on where it matters",
        'ALLOWED_HOSTS = ["127.0.0.1", "localhost"]',
        "SECURE_SSL_REDIRECT = False",
        "DATABASES = {",
        "    **globals().get('DATABASES', {}),",
        '    "default": {',
        '        "ENGINE": "django.db.backends.postgresql",',
        '        "NAME": _database.path.removeprefix("/"),',
        '        "USER": unquote(_database.username or ""),',
        '        "PASSWORD": unquote(_database.password or ""),',
        '        "HOST": _database.hostname or "",',
        '        "PORT": str(_database.port or ""),',
        '        "CONN_MAX_AGE": None,',
        "    },",
        "}",
    ]
    lines += [
        "# With loadstone[django] among the app's requirements, probed answers say what they asked of",
        "# databases and caches, those too that no tap sees; servers that are timed drop it as they start.",
        '# MIDDLEWARE = ["loadstone.django_accounting.account", *MIDDLEWARE]',
    ]
    lines += [f'CACHES[{json.dumps(name)}]["LOCATION"] = os.environ["REDIS_URL"]' for name in redis_caches]
    return "\n".join(lines) + "\n"


def scenario(tasks: Sequence[Task]) -> str:
    """Return a plain Locust file of what was tried and found good; the rest stands in it as comments."""
    good = [one for one in tasks if one.good][:MOST_TASKS]
    others = [one for one in tasks if one not in good]
    sources = {one.source for one in good if one.source}
    lines = [
        '"""Visitors of this app: a start, made by `loadstone init`. Mend it to what they really do."""',
        "",
        "from __future__ import annotations",
        "",
    ]
    if sources:
        lines += ["import random", ""]
    lines += [
        "from locust import FastHttpUser, between, task",
        "",
        "",
        "class Visitor(FastHttpUser):",
        '    """Looks around; weights say how often each is done."""',
        "",
        "    wait_time = between(0.5, 2)",
    ]
    if sources:
        lines += [
            "",
            "    def on_start(self) -> None:",
            '        """Know nothing yet."""',
            "        self.known: dict[str, list[object]] = {}",
        ]
    names: set[str] = set()
    for one in good:
        lines += ["", *_task(one, one.path in sources, names)]
    if others:
        lines += ["", "    # What is not asked for, and why:"]
        lines += [f"    #   GET {one.path}: {_why(one)}" for one in others]
    if sources:
        lines += ["", "", *_IDS.strip("\n").splitlines()]
    return "\n".join(lines) + "\n"


_IDS = '''
def _ids(answer: object) -> list[object]:
    """Return the ids of the things that an answer lists."""
    if isinstance(answer, dict):
        answer = next((one for one in answer.values() if isinstance(one, list)), [])
    return [one["id"] for one in answer if "id" in one][:50] if isinstance(answer, list) else []
'''


def _task(one: Task, remembered: bool, names: set[str]) -> list[str]:
    name = _name(one.path, names)
    lines = ["    @task(1)", f"    def {name}(self) -> None:", f'        """GET {one.path}."""']
    shown = json.dumps(one.path, ensure_ascii=False)
    if one.source:
        before, _, after = one.path.partition("{")
        after = after.partition("}")[2]
        wanted = f"{before}{{random.choice(known)}}{after}"
        return [
            *lines,
            f"        known = self.known.get({json.dumps(one.source)})",
            "        if known:",
            f"            self.client.get(f{json.dumps(wanted)}, name={shown})",
        ]
    sent = f"self.client.get({json.dumps(one.target)}, name={shown})"
    if remembered:
        return [*lines, f"        answer = {sent}", f"        self.known[{shown}] = _ids(answer.json())"]
    return [*lines, f"        {sent}"]


def _name(path: str, names: set[str]) -> str:
    words = re.sub(r"[^a-z0-9]+", "_", path.lower()).strip("_") or "start"
    name, number = f"get_{words}", 2
    while name in names:
        name, number = f"get_{words}_{number}", number + 1
    names.add(name)
    return name


def _why(one: Task) -> str:
    return "the list above is long enough" if one.good else f"answered {one.says}" if one.target else one.says


def _array(words: Sequence[str]) -> str:
    return f"[{', '.join(json.dumps(one, ensure_ascii=False) for one in words)}]"
