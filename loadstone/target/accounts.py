"""Which account services run under, and where that account can reach."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from loadstone.errors import TargetError

CANDIDATES = ("postgres", "nobody")
SHARED_TEMPORARY = Path("/var/tmp")  # noqa: S108 - survives reboots; the folder in it is checked for its owner


@dataclass(frozen=True, slots=True)
class Account:
    """An account of this machine."""

    name: str
    uid: int
    gid: int


def service_account() -> Account | None:
    """Return the account for PostgreSQL and Redis; None: the caller's own.

    PostgreSQL refuses to run as root, so root starts its services as an
    unprivileged account that exists already.
    """
    if os.geteuid() != 0:
        return None
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise TargetError(
        "PostgreSQL refuses to run as root, and there is no unprivileged account to run it as",
        cause=f"none of the accounts {', '.join(CANDIDATES)} exists",
        remedy="run loadstone as an ordinary user, or pass --database-url and --redis-url",
    )


def can_reach(path: Path, account: Account | None) -> bool:
    """Tell whether `account` may execute `path` (or pass, if a folder) and all folders above it.

    Goes by mode bits of owner, group and others; access lists are not consulted,
    which errs towards a copy that was not needed.
    """
    if account is None:
        return os.access(path, os.X_OK)
    resolved = path.resolve()
    return all(_may_execute(each, account) for each in (resolved, *resolved.parents))


def _may_execute(path: Path, account: Account) -> bool:
    status = path.stat()
    if status.st_uid == account.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == account.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def state_folder(wanted: Path, account: Account | None) -> Path:
    """Return the folder for templates and slots, made if need be.

    It is `wanted` where the account can get there, and otherwise (a project in
    root's home, a folder closed to others, a read-only one) a folder of our own
    in /var/tmp, named after the user and `wanted`.
    """
    try:
        if not wanted.exists():
            wanted.mkdir(parents=True)
            wanted.chmod(0o711)
        writable = os.access(wanted, os.W_OK | os.X_OK)
    except OSError:
        writable = False
    if writable and can_reach(wanted, account):
        return wanted
    return _own_folder(stand_in(wanted))


def stand_in(wanted: Path) -> Path:
    """Return where the state is kept when it cannot be kept in `wanted`."""
    digest = hashlib.sha256(str(wanted.resolve()).encode()).hexdigest()[:12]
    return SHARED_TEMPORARY / f"loadstone-{os.geteuid()}-{digest}"


def _own_folder(path: Path) -> Path:
    """Make a folder in a place that all can write to; refuse one that is not ours."""
    path.mkdir(mode=0o711, exist_ok=True)
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise TargetError(
            f"{path} cannot be used for templates and slots",
            cause="it is not a folder that belongs to you and to you alone",
            remedy=f"have its owner remove {path}",
        )
    return path


def reachable_copy(program: Path, state: Path, version: str, account: Account | None) -> Path:
    """Return `program`, or the same in a copy within `state` where the account can reach only that.

    Args:
        program: a file in the folder `bin` of an installation, all of which is copied.
        state: a folder that the account can reach.
        version: told in the copy's name, so that an upgrade makes a new one.
        account: who is to run it; None: the caller.
    """
    if can_reach(program, account):
        return program
    installation = program.parent.parent
    copy = state / "installations" / f"{installation.name}-{version}"
    if not copy.exists():
        draft = copy.with_name(f"{copy.name}.{os.getpid()}")
        draft.parent.mkdir(exist_ok=True)
        shutil.copytree(installation, draft, ignore=shutil.ignore_patterns("include", "*.a", "__pycache__"))
        for each in (draft.parent, draft, *draft.rglob("*")):
            each.chmod(
                each.stat().st_mode | (0o555 if each.is_dir() or each.stat().st_mode & 0o100 else 0o444)
            )
        try:
            draft.rename(copy)
        except OSError:  # another run was first
            shutil.rmtree(draft)
    return copy / "bin" / program.name
