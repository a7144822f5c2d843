"""A watchdog that outlives the harness just long enough to clean up after it.

The harness holds the write end of this program's standard input. When that
closes, however the harness ended, every process that carries the run's token is
stopped and the run's scratch folders are removed. Only the standard library is
imported: the program starts in a few milliseconds, with `python -I -S`.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

RUN_VARIABLE = "LOADSTONE_RUN"
SERVICE_PREFIX = "loadstone-"
"""Services that overwrite their environment show `loadstone-<token>` in their command line."""
GRACE_S = 1.5
"""How long PostgreSQL may take to release its shared memory before it is killed."""
GIVE_UP_S = 10.0
TTY_FIELD = 4
"""Index of tty_nr in /proc/<pid>/stat, counted after the command's closing parenthesis."""


def find_processes(token: str, *, proc: Path = Path("/proc")) -> list[int]:
    """Return the pids of all processes that carry the run's token, this one excepted.

    A process carries it in its environment, in its command line (PostgreSQL's
    children and Redis overwrite the former), or, unless it has a terminal, by
    standing in a folder of the run. Processes that cannot be read are not ours.
    """
    own = os.getpid()
    pids = (int(entry.name) for entry in proc.iterdir() if entry.name.isdigit())
    return sorted(pid for pid in pids if pid != own and carries(pid, token, proc=proc))


def carries(pid: int, token: str, *, proc: Path = Path("/proc")) -> bool:
    """Tell whether process `pid` belongs to the run with this token."""
    folder = proc / str(pid)
    if f"{RUN_VARIABLE}={token}".encode() in _read(folder / "environ"):
        return True
    if f"{SERVICE_PREFIX}{token}".encode() in _read(folder / "cmdline"):
        return True
    try:
        stands_within = token in (folder / "cwd").readlink().parts
    except OSError:
        return False
    return stands_within and not _has_terminal(folder)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _has_terminal(folder: Path) -> bool:
    fields = _read(folder / "stat").rpartition(b")")[2].split()
    return len(fields) > TTY_FIELD and fields[TTY_FIELD] != b"0"


def stop_processes(token: str, *, grace_s: float = GRACE_S, give_up_s: float = GIVE_UP_S) -> list[int]:
    """Stop every process that carries the token; return the pids that still live.

    PostgreSQL is asked for an immediate shutdown, in which it gives its shared
    memory back, and killed after `grace_s`; everything else is killed at once.
    """
    started = time.monotonic()
    asked: set[int] = set()
    while pids := find_processes(token):
        elapsed = time.monotonic() - started
        if elapsed > give_up_s:
            return pids
        for pid in pids:
            gentle = elapsed < grace_s and _read(Path(f"/proc/{pid}/comm")).strip() == b"postgres"
            if gentle and pid in asked:
                continue
            asked.add(pid)
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGQUIT if gentle else signal.SIGKILL)
        time.sleep(0.02)
    return []


def remove_folder(path: Path, token: str) -> None:
    """Remove a folder of the run; a path without the token in one of its names is left alone."""
    if not any(token in part for part in path.parts) or path.is_symlink():
        return
    shutil.rmtree(path, ignore_errors=True)


def main() -> None:
    """Read folders to remove, a line each, until the harness goes; then stop and remove."""
    token = sys.argv[1].removeprefix(SERVICE_PREFIX)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    folders = [Path(line.rstrip("\n")) for line in sys.stdin]
    stop_processes(token)
    for folder in folders:
        remove_folder(folder, token)


if __name__ == "__main__":
    main()
