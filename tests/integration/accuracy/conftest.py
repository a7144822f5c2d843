"""The benchmark's own target: prepared once, served as often as a test likes."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import psycopg2
import pytest
from comparing import BENCH

TARGET = BENCH.parent


@dataclass(frozen=True)
class Served:
    """A running server of the target."""

    base: str

    def get(self, path: str) -> bytes:
        """Return the body of an answer, which must be a good one."""
        with urlopen(self.base + path, timeout=30) as answer:  # noqa: S310 - a server of ours
            return answer.read()

    def truth(self, requests: int) -> dict[str, Any]:
        """Return the sums over `requests`; an entry is made only once the answer is sent."""
        for _ in range(600):
            sums = json.loads(self.get("/truth"))
            if sums["requests"] >= requests:
                return sums
            time.sleep(0.01)
        raise AssertionError(sums)


Serve = Callable[..., Any]


@pytest.fixture(scope="session")
def bench_url(postgres_url, supervisor, tmp_path_factory) -> str:
    """Give a database with the target's data."""
    server = psycopg2.connect(postgres_url)
    server.autocommit = True
    with server.cursor() as cursor:
        cursor.execute("CREATE DATABASE bench")
    server.close()
    url = postgres_url.rpartition("/")[0] + "/bench"
    for words in (["migrate", "--no-input", "--verbosity", "0"], ["seed"]):
        log = tmp_path_factory.mktemp("bench") / "prepare.log"
        argv = [sys.executable, "manage.py", *words]
        done = supervisor.run(words[0], argv, log=log, cwd=TARGET, env=environment(url))
        assert done.process.returncode == 0, log.read_text()
    return url


@pytest.fixture(scope="session")
def serve(bench_url, supervisor, tmp_path_factory) -> Serve:
    """Give a context manager that serves the target with the given toggles."""
    from loadstone.target.ports import Ports

    @contextmanager
    def start(**toggles: str) -> Iterator[Served]:
        ports, log = Ports(), tmp_path_factory.mktemp("bench") / "server.log"
        port = ports.take()
        argv = [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py"]
        argv += ["--bind", f"127.0.0.1:{port}", "bench.wsgi"]
        child = supervisor.start("bench", argv, log=log, cwd=TARGET, env=environment(bench_url, **toggles))
        served = Served(f"http://127.0.0.1:{port}")
        try:
            await_ready(served, child, log)
            yield served
        finally:
            supervisor.stop(child, grace_s=5)
            ports.close()

    return start


def environment(url: str, **toggles: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BENCH_", "DJANGO_"))}
    chosen = {f"BENCH_{name.upper()}": value for name, value in toggles.items()}
    fixed = {"DJANGO_SETTINGS_MODULE": "bench.settings", "DATABASE_URL": url, "SECRET_KEY": "for tests only"}
    return kept | fixed | chosen


def await_ready(served: Served, child: Any, log: Path) -> None:
    for _ in range(600):
        try:
            served.get("/health")
        except (URLError, ConnectionError):
            assert child.alive(), log.read_text()
            time.sleep(0.05)
        else:
            return
    raise AssertionError(log.read_text())
