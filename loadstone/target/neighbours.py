"""Other runs on this machine, of whatever project and user: they disturb each other's timing alone."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from loadstone.errors import ConfigurationError
from loadstone.target import folders

ALONE_VARIABLE = "LOADSTONE_ALONE"
"""Set to 1, a run is refused where another one goes on; by default it is warned."""
_PREFIX = "loadstone-run-"
_LOCK, _WHERE = "lock", "where"


@contextmanager
def presence(token: str, where: Path) -> Iterator[Path]:
    """Let other runs on this machine see this one; yield the folder by which they do.

    Args:
        token: of the run.
        where: what they are told of it, such as its project's folder.
    """
    folder = Path(tempfile.gettempdir()) / f"{_PREFIX}{token}"
    folder.mkdir(mode=0o755)
    try:
        with folders.locked(folder / _LOCK):
            (folder / _LOCK).chmod(0o644)
            (folder / _WHERE).write_text(str(where))
            yield folder
    finally:
        folders.remove(folder)


def neighbours(token: str) -> list[str]:
    """Return where the other living runs of this machine go on, in order; `token` is the run that asks."""
    found = []
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        if folder.name != f"{_PREFIX}{token}" and _is_held(folder / _LOCK):
            with suppress(OSError):  # it ends right now
                found.append((folder / _WHERE).read_text())
    return sorted(found)


def require_alone(others: list[str]) -> None:
    """Refuse to run beside others where the caller wants that; raises `ConfigurationError`."""
    if others and os.environ.get(ALONE_VARIABLE, "") not in {"", "0"}:
        raise ConfigurationError(
            "another run measures on this machine",
            cause=", ".join(others),
            remedy=f"wait for its end, or run beside it without {ALONE_VARIABLE}=1",
        )


def warning_of(others: list[str]) -> str:
    """Return what to tell whoever starts a run beside others."""
    return (
        f"warning: other runs measure on this machine and disturb this one's timing: {', '.join(others)} "
        f"({ALONE_VARIABLE}=1 would refuse)"
    )


def _is_held(lock: Path) -> bool:
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # it has ended, or is not there yet
        return False
    return False
