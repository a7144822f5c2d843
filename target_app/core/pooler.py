"""PgBouncer, as a child of the server that uses it (toggle `db_connections`).

It keeps a few connections to PostgreSQL and lends each for a transaction. It
listens on a Unix socket in a folder that only this user may enter, so that it
takes whoever gets there for the user that `DATABASE_URL` names.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from django.conf import settings

PORT = 6432
PATIENCE_S = 10.0
_DROPPED_TO = "nobody"  # PgBouncer refuses to be root
_PR_SET_PDEATHSIG = 1


def start(folder: Path) -> subprocess.Popen[bytes]:
    """Start PgBouncer, listening in `folder`, and return it once it takes connections.

    It ends with the process that started it. Ends that process with what PgBouncer
    wrote, where it does not come up.
    """
    log, ini = folder / "log", folder / "pgbouncer.ini"
    ini.touch(mode=0o600)  # it holds the password
    ini.write_text(_configuration(folder), encoding="utf-8")
    account = pwd.getpwnam(_DROPPED_TO) if os.geteuid() == 0 else None
    if account:
        for path in (folder, ini):
            os.chown(path, account.pw_uid, account.pw_gid)
    parent = os.getpid()
    child = subprocess.Popen(
        ["pgbouncer", str(ini)],
        user=account and account.pw_uid,  # not by its own option: that would undo `_die_with`
        group=account and account.pw_gid,
        extra_groups=account and [],
        stdin=subprocess.DEVNULL,
        stdout=log.open("wb"),
        stderr=subprocess.STDOUT,
        preexec_fn=lambda: _die_with(parent),  # noqa: PLW1509 - the server has one thread yet
    )
    _await(child, folder, log)
    ini.unlink()  # it was read
    return child


def _configuration(folder: Path) -> str:
    """Return the configuration: the shop's database, for whoever asks, for a transaction at a time."""
    parts = _direct()
    server = " ".join(f"{name}={_quoted(value)}" for name, value in parts.items() if value)
    return f"""[databases]
* = {server}

[pgbouncer]
listen_addr =
listen_port = {PORT}
unix_socket_dir = {folder}
auth_type = any
pool_mode = transaction
default_pool_size = {settings.SHOP_POOL_SIZE}
max_client_conn = 1000
server_reset_query =
ignore_startup_parameters = extra_float_digits,options
"""


def _direct() -> dict[str, str]:
    """Return where PostgreSQL itself is, in the words of a connection string."""
    parts = settings.SHOP_DATABASE
    words = {"host": "HOST", "port": "PORT", "dbname": "NAME", "user": "USER", "password": "PASSWORD"}
    return {word: str(parts[key]) for word, key in words.items()}


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _die_with(parent: int) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before that was asked for
        os._exit(1)


def _await(child: subprocess.Popen[bytes], folder: Path, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and child.poll() is None:
        with socket.socket(socket.AF_UNIX) as asking:
            if asking.connect_ex(str(folder / f".s.PGSQL.{PORT}")) == 0:  # PostgreSQL may come up later
                return
        time.sleep(0.02)
    child.kill()
    sys.exit(f"PgBouncer did not come up in {PATIENCE_S:g} s: {log.read_text(errors='replace')[-500:]}")
