"""What kind of app lies in a folder: Django by its manage.py, asked in the app's own Python."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from loadstone.config.openapi import Endpoint
from loadstone.errors import ConfigurationError

DEEPEST = 3
"""Folders below the first one in which manage.py is looked for."""
LEFT_OUT = re.compile(r"/(admin|static|media|__debug__|silk|accounts/logout|logout|api-auth)(/|$)")
TIMEOUT_S = 60.0
PLACEHOLDERS = {
    "DATABASE_URL": "postgresql://nobody@127.0.0.1/nothing",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "SECRET_KEY": "asked for while nothing is served",  # a placeholder, as the others
}
"""What settings often need of the environment, for a question that touches no service."""
_SETTINGS = re.compile(r"""DJANGO_SETTINGS_MODULE["']\s*,\s*["']([\w.]+)["']""")
ENVIRONMENTS = (".venv", "venv", "env")
"""Folders in which a project's environment usually is."""
_SKIPPED = {"node_modules", "venv", "env", "site-packages", "__pycache__"}
_QUESTIONS = """
import importlib.util, json, os, runpy, sys
here = os.getcwd()
sys.path.insert(0, here)
import django
import django.core.management
before = list(sys.path)
# its manage.py may say where its packages lie: run it up to where it would begin
django.core.management.execute_from_command_line = lambda *_: None
sys.argv = ["manage.py", "check"]
try:
    runpy.run_path(os.path.join(here, "manage.py"), run_name="__main__")
except (Exception, SystemExit) as error:
    print(f"manage.py cannot be run: {error}", file=sys.stderr)
added = [os.path.abspath(path) for path in sys.path if path not in before]
from django.conf import settings

def has(name):
    return importlib.util.find_spec(name) is not None

engine = settings.DATABASES.get("default", {}).get("ENGINE", "")
if has("psycopg") or has("psycopg2"):
    # as it will be run: the driver of the project's own database need not be here
    settings.DATABASES["default"] = {"ENGINE": "django.db.backends.postgresql", "NAME": "nothing"}
django.setup()
from django.urls import URLPattern, get_resolver
from django.utils.regex_helper import normalize

def reads(callback):
    actions = getattr(callback, "actions", None)
    if actions:
        return "get" in actions
    view = getattr(callback, "view_class", None) or getattr(callback, "cls", None)
    return view is None or hasattr(view, "get") or not hasattr(view, "http_method_names")

def walk(patterns, prefix):
    for one in patterns:
        text = one.pattern.regex.pattern
        bits, names = normalize(text[1:] if text.startswith("^") else text)[0]
        path = prefix + bits.replace("%%", "%")
        for name in names:
            path = path.replace(f"%({name})s", "{" + name.lstrip("_") + "}")
        if isinstance(one, URLPattern):
            if reads(one.callback) and "{format}" not in path:
                yield path
        else:
            yield from walk(one.url_patterns, path)

control = False
if has("gunicorn"):
    from gunicorn import config
    control = hasattr(config, "ControlSocketDisable")
try:
    paths = list(dict.fromkeys(walk(get_resolver().url_patterns, "/")))
except Exception as error:
    paths = []
    print(f"the URL configuration cannot be read: {error}", file=sys.stderr)
print("\\n" + json.dumps({
    "wsgi": (getattr(settings, "WSGI_APPLICATION", None) or "").replace(".application", ":application"),
    "engine": engine,
    "redis_caches": [name for name, one in settings.CACHES.items() if "edis" in one.get("BACKEND", "")],
    "gunicorn": has("gunicorn"),
    "control_socket": control,
    "psycopg": has("psycopg") or has("psycopg2"),
    "added": [os.path.relpath(path, here) for path in added],
    "paths": paths,
}))
"""


@dataclass(frozen=True, slots=True)
class Django:
    """A Django project, as it says itself."""

    folder: Path
    """Where its manage.py is."""
    settings: str
    wsgi: str
    engine: str
    redis_caches: tuple[str, ...]
    gunicorn: bool
    control_socket: bool
    """Whether this gunicorn has a control socket, which instances would share."""
    psycopg: bool
    added: tuple[str, ...]
    """Folders that its manage.py makes importable, from its own."""
    endpoints: tuple[Endpoint, ...]


def find_python(*folders: Path) -> Path | None:
    """Return the Python of the first environment that lies in one of these folders, if any does."""
    for folder in folders:
        for name in ENVIRONMENTS:
            python = folder / name / "bin" / "python"
            if (folder / name / "pyvenv.cfg").is_file() and python.exists():
                return python
    return None


def find_manage(root: Path) -> Path | None:
    """Return the manage.py nearest to `root`, in it or below; None where there is none."""
    level = [root]
    for _ in range(DEEPEST + 1):
        found = [folder / "manage.py" for folder in level if (folder / "manage.py").is_file()]
        if found:
            return found[0]
        level = [
            below
            for folder in level
            for below in sorted(folder.iterdir())
            if below.is_dir() and not below.name.startswith(".") and below.name not in _SKIPPED
        ]
    return None


def ask_django(manage: Path, python: Path) -> Django:
    """Return what a Django project says of itself.

    Raises:
        ConfigurationError: it names no settings, or cannot be imported with this Python.
    """
    match = _SETTINGS.search(manage.read_text(encoding="utf-8", errors="replace"))
    if match is None:
        raise ConfigurationError(
            f"{manage} names no settings",
            cause="there is no DJANGO_SETTINGS_MODULE in it",
            remedy="say how the server is started: --command '… {port}'",
        )
    settings = os.environ.get("DJANGO_SETTINGS_MODULE", match[1])
    environment = {**PLACEHOLDERS, **os.environ, "DJANGO_SETTINGS_MODULE": settings}
    try:
        done = subprocess.run(
            [str(python), "-c", _QUESTIONS],
            cwd=manage.parent,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _unasked(python, str(error)) from error
    if done.returncode != 0:
        raise _unasked(python, "\n".join(done.stderr.strip().splitlines()[-4:]))
    told = json.loads(done.stdout.strip().splitlines()[-1])
    return Django(
        folder=manage.parent,
        settings=settings,
        wsgi=told["wsgi"],
        engine=told["engine"],
        redis_caches=tuple(told["redis_caches"]),
        gunicorn=told["gunicorn"],
        control_socket=told["control_socket"],
        psycopg=told["psycopg"],
        added=tuple(told["added"]),
        endpoints=tuple(Endpoint(path) for path in told["paths"] if not LEFT_OUT.search(path)),
    )


def _unasked(python: Path, cause: str) -> ConfigurationError:
    return ConfigurationError(
        f"the Django project cannot be imported with {python}",
        cause=cause,
        remedy="name the Python that has its requirements with --python, and set what its settings need",
    )
