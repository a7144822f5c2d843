"""The reference shop as it runs: PostgreSQL, Redis, gunicorn and workers, each a process of its own."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from loadstone.target.children import Child
from loadstone.target.cpu import tree
from loadstone.target.folders import State, private_folder
from loadstone.target.ports import Ports
from loadstone.target.postgres import Postgres
from loadstone.target.processes import Supervisor
from loadstone.target.redis import Redis
from loadstone.target.sql import session
from loadstone.target.urls import with_path

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "target_app"
WORKER = tomllib.loads((ROOT / "loadstone.toml").read_text())["target"]["companions"]["worker"]
PATIENCE_S = 60.0
BETWEEN_KILLS_S = 0.3
HURRY = {
    "SHOP_TASK_VISIBILITY_SECONDS": "1",  # what a dead worker held is another's after a second
    "SHOP_TASK_BACKOFF_MS": "50",
    "SHOP_TASK_ATTEMPTS": "100",  # how often one is killed at the same task is chance
}


@dataclass
class Workers:
    """Celery workers that are killed and replaced while something goes on."""

    start: Callable[[], Child]
    resend: Callable[[], int]
    supervisor: Supervisor
    number: int
    running: list[Child] = field(default_factory=list)
    killed: int = 0
    sent_again: int = 0

    def kill_while(self, work: Callable[[], None]) -> None:
        """Do `work`; until it is done kill one worker after the other, whole, and start another."""
        self.running = [self.start() for _ in range(self.number)]
        with ThreadPoolExecutor(1) as pool:  # what this thread starts would not outlive another one
            working = pool.submit(work)
            while self.number and not self._kill_one(working):
                pass
            working.result()

    def finish(self, open_tasks: Callable[[], int]) -> None:
        """Wait until nothing is open; what the broker lost is sent again, as an operator would."""
        if not self.number:
            return
        deadline = time.monotonic() + PATIENCE_S
        quiet_since, left = time.monotonic(), open_tasks()
        while left and time.monotonic() < deadline:
            time.sleep(0.1)
            now = open_tasks()
            if now != left:
                quiet_since, left = time.monotonic(), now
            elif time.monotonic() - quiet_since > 5 * float(HURRY["SHOP_TASK_VISIBILITY_SECONDS"]):
                self.sent_again += self.resend()
                quiet_since = time.monotonic()

    def _kill_one(self, working: Future[None]) -> bool:
        """Kill a worker in a moment and start another; return whether the work is done by then.

        One dies at least: however soon all is asked for, it is then still to be done.
        """
        with suppress(TimeoutError):
            working.result(BETWEEN_KILLS_S)
        victim = self.running.pop(0)
        for pid in tree(victim.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.killed += 1
        self.supervisor.stop(victim)  # it is dead: forget it
        self.running.append(self.start())
        return working.done()


@dataclass
class Shop:
    """A shop whose services run, and whose servers and workers can be started.

    Args:
        supervisor: owns all processes.
        folder: gets their logs.
        environment: of all of them, with the services' URLs.
    """

    supervisor: Supervisor
    folder: Path
    environment: Mapping[str, str]
    ports: Ports = field(default_factory=Ports)
    logs: int = 0

    @property
    def database_url(self) -> str:
        """Where its PostgreSQL is."""
        return self.environment["DATABASE_URL"]

    @contextmanager
    def serving(self, choices: Mapping[str, str]) -> Iterator[str]:
        """Run gunicorn with choices of toggles; give its URL."""
        port = self.ports.take()
        argv = [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py"]
        argv += ["--bind", f"127.0.0.1:{port}", "config.wsgi"]
        child = self._start("server", argv, {**self._variables(choices), "WEB_CONCURRENCY": "2"})
        url = f"http://127.0.0.1:{port}"
        try:
            self._await(child, lambda: _answers(f"{url}/health/ready"))
            yield url
        finally:
            self.supervisor.stop(child)
            self.ports.give_back(port)

    @contextmanager
    def dying_workers(self, choices: Mapping[str, str], number: int = 2) -> Iterator[Workers]:
        """Give workers to be killed: none where tasks are done inline."""
        variables = self._variables(choices)
        number = number if choices["tasks"] == "celery" else 0

        def start() -> Child:
            argv = [word.replace("{python}", sys.executable) for word in WORKER["command"]]
            child = self._start("worker", argv, variables)
            self._await(child, lambda: WORKER["ready"] in child.log.read_text())
            return child

        workers = Workers(start, lambda: self._resend(variables), self.supervisor, number)
        try:
            yield workers
        finally:
            self.supervisor.stop(*workers.running)

    def manage(self, *words: str, variables: Mapping[str, str] | None = None) -> str:
        """Run `manage.py`; return what it printed."""
        argv = [sys.executable, "manage.py", *words]
        env = {**self.environment, **(variables or {})}
        return subprocess.run(argv, cwd=APP, env=env, check=True, capture_output=True, text=True).stdout

    def _resend(self, variables: Mapping[str, str]) -> int:
        return int(self.manage("resend_tasks", "--older", "0", variables=variables).split()[0])

    def _variables(self, choices: Mapping[str, str]) -> dict[str, str]:
        return {**HURRY, **{f"SHOP_{name.upper()}": choice for name, choice in choices.items()}}

    def _start(self, name: str, argv: list[str], variables: Mapping[str, str]) -> Child:
        self.logs += 1
        log = self.folder / f"{self.logs:03}-{name}.log"
        return self.supervisor.start(name, argv, log=log, cwd=APP, env={**self.environment, **variables})

    def _await(self, child: Child, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not ready():
            if not child.alive() or time.monotonic() > deadline:
                raise SystemExit(f"{child.name} did not come up:\n{child.log.read_text()}")
            time.sleep(0.02)


@contextmanager
def running_shop(folder: Path, *, size: str = "small") -> Iterator[Shop]:
    """Run PostgreSQL and Redis, migrated and filled, and give a shop on them."""
    folder.chmod(0o711)
    with ExitStack() as stack:
        supervisor = stack.enter_context(Supervisor())
        state, ports = State.open(folder / "services"), Ports()
        stack.callback(ports.close)
        postgres, redis = Postgres(state, supervisor, ports), Redis(state, supervisor, ports)
        postgres.create(state.slots / "data", state.slots / "initdb.log")
        cluster = postgres.run(state.slots / "data", state.slots / "postgres.log")
        with session(cluster.url) as server:
            server.run("CREATE DATABASE shop")
        home = private_folder(state.slots / "redis", state.account)
        cache = redis.await_ready(redis.start(home, state.slots / "redis.log"))
        variables = {key: value for key, value in os.environ.items() if not key.startswith("SHOP_")}
        variables |= {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": with_path(cluster.url, "/shop"),
            "REDIS_URL": cache.url,
            "SECRET_KEY": secrets.token_urlsafe(48),
        }
        shop = Shop(supervisor, folder, variables)
        stack.callback(shop.ports.close)
        shop.manage("migrate", "--no-input", "--verbosity", "0")
        shop.manage("seed", "--size", size, "--seed", "1")
        yield shop


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5) as answer:  # noqa: S310 - a server of ours
            return bool(answer.status == 200)  # noqa: PLR2004 - OK
    except (URLError, OSError):
        return False
