"""Copies of data folders, locks between runs, and the state folder's layout."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from loadstone.target.accounts import Account, service_account, stand_in, state_folder

_FICLONE = 0x40049409
"""ioctl that shares extents between files (include/uapi/linux/fs.h)."""
_NO_CLONE = {errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOTTY, errno.ENOSYS}
_CHUNK_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class State:
    """What outlives a run: templates and the password of embedded services."""

    root: Path
    account: Account | None
    """Who runs the services; None: the caller."""

    @classmethod
    def open(cls, wanted: Path) -> State:
        """Open (and make) the state folder, or its stand-in where services cannot reach it."""
        account = service_account()
        root = state_folder(wanted, account)
        for folder in ("templates", "slots"):
            passable_folder(root / folder)
        return cls(root, account)

    @classmethod
    def find(cls, wanted: Path) -> State | None:
        """Return the state folder if there is one; makes nothing but its subfolders."""
        places = [wanted, stand_in(wanted)]
        return cls.open(wanted) if any(each.is_dir() for each in places) else None

    @property
    def installations(self) -> Path:
        """Folder of copies of the wheels' binaries, where services cannot reach the originals."""
        return self.root / "installations"

    @property
    def templates(self) -> Path:
        """Folder of the templates, one folder for each key."""
        return self.root / "templates"

    @property
    def slots(self) -> Path:
        """Folder of the runs' slots, one folder for each token."""
        return self.root / "slots"

    def password(self) -> str:
        """Return the embedded services' password, made at first use, readable by the caller alone."""
        path = self.root / "password"
        with locked(self.root / "password.lock"):
            if not path.exists():
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "w") as file:
                    file.write(secrets.token_hex(16))
            return path.read_text()


def private_folder(path: Path, owner: Account | None = None) -> Path:
    """Make a folder that only `owner` (None: the caller) can open."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if owner is not None:
        os.chown(path, owner.uid, owner.gid)
    return path


def passable_folder(path: Path) -> Path:
    """Make a folder that others may pass through but not list, whatever the umask says."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o711)
    return path


@contextmanager
def locked(path: Path, *, wait: bool = True, shared: bool = False) -> Iterator[bool]:
    """Hold an advisory lock on a file; yield whether it was had. The kernel frees it if we die."""
    flags = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB)
    while True:
        with path.open("a") as file:
            try:
                fcntl.flock(file, flags)
            except BlockingIOError:
                yield False
                return
            if not _is_still(path, file.fileno()):  # removed by its last holder: lock the new one
                continue
            yield True
            return


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def copy_folder(source: Path, target: Path, owner: Account | None = None) -> None:
    """Copy a folder of plain files, as fast as the file system can, with the same layout.

    Args:
        source: must not change meanwhile.
        target: must not exist.
        owner: who owns the copy; None: the caller.
    """
    target.mkdir()
    for entry in os.scandir(source):
        copy = target / entry.name
        if entry.is_symlink():
            copy.symlink_to(Path(entry.path).readlink())
        elif entry.is_dir():
            copy_folder(Path(entry.path), copy, owner)
            continue
        elif entry.is_file():
            _copy_file(entry.path, copy)
        else:  # sockets and pipes belong to running processes
            continue
        if owner is not None:
            os.chown(copy, owner.uid, owner.gid, follow_symlinks=False)
    if owner is not None:
        os.chown(target, owner.uid, owner.gid)
    shutil.copymode(source, target)


def _copy_file(source: str, target: Path) -> None:
    with open(source, "rb") as reading, target.open("xb") as writing:  # noqa: PTH123 - scandir gives strings
        status = os.fstat(reading.fileno())
        if status.st_size and not _clone(reading.fileno(), writing.fileno()):
            _copy_range(reading.fileno(), writing.fileno(), status.st_size)
        os.fchmod(writing.fileno(), stat.S_IMODE(status.st_mode))


def _clone(source: int, target: int) -> bool:
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError as error:
        if error.errno in _NO_CLONE:
            return False
        raise
    return True


def _copy_range(source: int, target: int, size: int) -> None:
    done = 0
    while done < size:
        try:
            count = os.copy_file_range(source, target, min(size - done, _CHUNK_BYTES), done, done)
        except OSError as error:
            if error.errno not in _NO_CLONE:
                raise
            count = os.sendfile(target, source, done, min(size - done, _CHUNK_BYTES))
        if count == 0:
            return
        done += count


def folder_bytes(path: Path) -> int:
    """Return the size of all files below a folder."""
    return sum(each.lstat().st_size for each in path.rglob("*") if each.is_file())


def remove(path: Path) -> None:
    """Remove a folder and all below; none is fine."""
    shutil.rmtree(path, ignore_errors=True)
