"""`loadstone init` alone, in repositories that are none of ours; every step and what it says.

    python benchmarks/init/run.py                  all of them
    python benchmarks/init/run.py --only fastapi
    python benchmarks/init/run.py --folder /tmp/tried     and leave them there

ephios (MIT) and kiwitcms (GPL-2.0) are published Django projects, fetched as source with pip and run in
environments of their own; the FastAPI app and the Node server lie beside this file. Exit code: how many
failed.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
LOADSTONE = [sys.executable, "-m", "loadstone"]


@dataclass(frozen=True)
class App:
    """A repository, the requirements of its environment, and the words after `loadstone init`."""

    source: str
    """A folder beside this file, or what pip fetches."""
    requirements: tuple[str, ...]
    words: tuple[str, ...] = ()
    of_project: str = ""
    """A file of requirements, or the pyproject.toml, that the project brings."""
    example: tuple[str, str] = ("", "")
    """A file that is to be copied before the app starts, as the project says, and to where."""


APPS = {
    "ephios": App(
        "ephios==0.27.1",
        ("psycopg2-binary", "gunicorn"),
        of_project="pyproject.toml",
        example=(".env.example", ".env"),
    ),
    "kiwitcms": App(
        "kiwitcms==12.4",
        # 12.4 is of the time of Python 3.9: this release of its RPC library imports on later ones too,
        # and it still wants pkg_resources; it brings no driver of PostgreSQL.
        ("django-modern-rpc>=1.0,<1.1", "setuptools<81", "psycopg2-binary", "gunicorn"),
        of_project="kiwitcms.egg-info/requires.txt",
    ),
    "fastapi": App(
        "fastapi_shop",
        ("fastapi", "uvicorn"),
        ("--command", "python -m uvicorn app:app --host {host} --port {port} --log-level warning"),
    ),
    "node": App("node_shop", (), ("--command", "node server.js {port}", "--openapi", "openapi.json")),
}


def main() -> int:
    """Try each app."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default=",".join(APPS), help="apps, with commas")
    parser.add_argument("--folder", type=Path, help="make the repositories here, and leave them")
    asked = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.folder or Path(scratch)
        for name in asked.only.split(","):
            failed += not bring_under_test(APPS[name], folder.resolve() / name)
    return failed


def bring_under_test(app: App, root: Path) -> bool:
    """Make a repository of an app, run `loadstone init` in it, and tell whether that succeeded."""
    fetch(app, root)
    if app.requirements:
        environment(app, root)
    if all(app.example):
        run(["cp", *app.example], root)
    run(["git", "init", "-q"], root)
    (root / ".git" / "info" / "exclude").write_text(".venv/\n")
    run(["git", "add", "-A"], root, quiet=True)
    person = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]
    run(["git", *person, "commit", "-q", "-m", "as it was published"], root)
    return run([*LOADSTONE, "init", "--quiet", *app.words], root) == 0


def fetch(app: App, root: Path) -> None:
    """Put the app's files into `root`."""
    own = HERE / app.source
    if own.is_dir():
        shutil.copytree(own, root, ignore=shutil.ignore_patterns("__pycache__"))
        return
    root.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as place:
        own = ["--no-deps", "--no-binary", app.source.partition("==")[0]]
        words = ["download", "-q", *own, "-d", place, app.source]
        run([sys.executable, "-m", "pip", *words], root)
        (archive,) = Path(place).iterdir()
        run(["tar", "xzf", str(archive), "--strip", "1"], root)


def environment(app: App, root: Path) -> None:
    """Make the app's own environment, .venv, where `init` finds it."""
    run([sys.executable, "-m", "venv", ".venv"], root)
    install = [".venv/bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    if app.of_project.endswith(".toml"):
        told = tomllib.loads((root / app.of_project).read_text())
        run([*install, *told["project"]["dependencies"]], root)
    elif app.of_project:
        run([*install, "-r", app.of_project], root)
    run([*install, *app.requirements], root, quiet=True)


def run(words: list[str], root: Path, *, quiet: bool = False) -> int:
    """Run a command, print it and what it says, and return its exit code."""
    shown = [
        "loadstone" if words[:3] == LOADSTONE else words[0],
        *words[3 if words[:3] == LOADSTONE else 1 :],
    ]
    print(f"\n{root.name}$ {' '.join(one if ' ' not in one else repr(one) for one in shown)}", flush=True)
    begin = time.monotonic()
    done = subprocess.run(words, cwd=root, stderr=subprocess.PIPE if quiet else None, check=False)
    print(f"exit code {done.returncode} after {time.monotonic() - begin:.0f} s", flush=True)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
