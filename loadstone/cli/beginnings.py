"""What `loadstone init` writes, by what kind of app there is."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from loadstone.config import starting
from loadstone.config.openapi import Endpoint
from loadstone.errors import ConfigurationError
from loadstone.target.discovery import Django, ask_django, find_manage, find_python

SCENARIO = "scenarios/start.py"


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of the app before it is started."""

    what: str
    text: str
    """Of loadstone.toml, with the health path `{health}` to be filled in."""
    settings: tuple[Path, str] | None
    endpoints: tuple[Endpoint, ...]


def of_command(root: Path, words: str, python: Path | None) -> Found:
    """Return the beginning of any server; raises `ConfigurationError` where the command has no `{port}`."""
    command = shlex.split(words)
    if "{port}" not in words:
        raise ConfigurationError(
            f"{words!r} does not say where the port goes",
            remedy="write {port} where the server takes its port, as in 'uvicorn app:app --port {port}'",
        )
    if Path(command[0]).name in {"python", "python3"}:
        command[0] = "{python}"
        python = python or find_python(root)
    text = starting.toml(
        what=f"`{words}`",
        command=command,
        directory=".",
        health="{health}",
        env={},
        prepare=(),
        postgres=False,
        redis=False,
        inputs=(),
        scenario=SCENARIO,
        python=_portable(python, root),
        notes=(
            "If the app uses PostgreSQL or Redis, set them to true below, and hand it {database_url}",
            "and {redis_url} in [target.env]: each variant then has its own, and queries are counted.",
        ),
    )
    return Found(f"the command `{words}`", text, None, ())


def of_django(root: Path, python: Path | None) -> Found:
    """Return the beginning of the Django project in `root`; raises `ConfigurationError` without one."""
    manage = find_manage(root)
    if manage is None:
        raise ConfigurationError(
            f"there is no manage.py in {root}",
            cause="without one, how the server is started cannot be known",
            remedy='say it: loadstone init --command "… {port}"',
        )
    python = python or find_python(root, manage.parent)
    django = ask_django(manage, python or Path(sys.executable))
    folder = django.folder.relative_to(root)
    settings = (django.folder / f"{starting.SETTINGS}.py") if django.psycopg else None
    module = starting.SETTINGS if settings else django.settings
    env = {"DJANGO_SETTINGS_MODULE": module}
    if settings:
        env |= {"SECRET_KEY": "{secret}", "DATABASE_URL": "{database_url}"}
        env |= {"REDIS_URL": "{redis_url}"} if django.redis_caches else {}
    text = starting.toml(
        what="this Django project",
        command=_server(django),
        directory=folder.as_posix(),
        health="{health}",
        env=env,
        prepare=[["{python}", "manage.py", "migrate", "--no-input", "--verbosity", "0"]] if settings else (),
        postgres=settings is not None,
        redis=bool(settings and django.redis_caches),
        inputs=[(folder / "**/migrations/*.py").as_posix()] if settings else (),
        scenario=SCENARIO,
        python=_portable(python, root),
        notes=_notes(django),
    )
    written = (settings, starting.settings(django.settings, redis_caches=django.redis_caches))
    what = f"Django with {django.settings} in {folder or '.'}, {len(django.endpoints)} addresses that read"
    return Found(what, text, (settings, written[1]) if settings else None, django.endpoints)


def _portable(python: Path | None, root: Path) -> str:
    """Return how the configuration names a Python: from its own folder where it lies there."""
    if python is None:
        return ""
    return python.relative_to(root).as_posix() if python.is_relative_to(root) else str(python)


def _server(django: Django) -> list[str]:
    if not (django.gunicorn and django.wsgi):
        return ["{python}", "manage.py", "runserver", "--noreload", "{host}:{port}"]
    words = ["{python}", "-m", "gunicorn", "--worker-class", "gthread", "--threads", "4"]
    words += ["--keep-alive", "3600", *(["--no-control-socket"] if django.control_socket else [])]
    words += ["--pythonpath", ",".join(django.added)] if django.added else []
    return [*words, "--bind", "{host}:{port}", django.wsgi]


def _notes(django: Django) -> list[str]:
    notes = []
    if django.psycopg and not django.engine.endswith("postgresql"):
        notes.append(
            f"The project's own database is {django.engine.rpartition('.')[2] or 'none'}: here it runs"
        )
        notes.append("on PostgreSQL, where each variant has one of its own and every query is counted.")
    if not django.psycopg:
        notes.append("psycopg is not installed here, so that both variants share the project's own database:")
        notes.append(
            "compare only what reads. With psycopg each has one of its own, and queries are counted."
        )
    if not django.gunicorn:
        notes.append("gunicorn is not installed here: Django's own server is no measure of what you deploy.")
    return notes
