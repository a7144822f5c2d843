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


def mirror_folder(source: Path, target: Path, owner: Account | None = None) -> None:
    """Make `target` equal to `source`, a folder of plain files, as fast as the file system can.

    What has the same size and time of change is left as it is: a copy bears its
    original's time, and whoever writes to it changes that. So making a used copy
    equal again costs as much as what was written, and no file is made anew.

    Args:
        source: must not change meanwhile.
        target: made if need be.
        owner: who owns what is made; None: the caller.
    """
    target.mkdir(exist_ok=True)
    wanted = {entry.name: entry for entry in os.scandir(source)}
    present = {entry.name: entry for entry in os.scandir(target)}
    for name, entry in present.items():
        if name not in wanted or _kind(entry) != _kind(wanted[name]):
            _remove_entry(entry)
    for name, entry in wanted.items():
        copy = target / name
        if entry.is_dir(follow_symlinks=False):
            mirror_folder(Path(entry.path), copy, owner)
        elif entry.is_file(follow_symlinks=False) and not _is_same(entry, copy):
            _copy_file(entry, copy, owner)
    if owner is not None:
        os.chown(target, owner.uid, owner.gid)
    shutil.copymode(source, target)


def _kind(entry: os.DirEntry[str]) -> int:
    return stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode)


def _remove_entry(entry: os.DirEntry[str]) -> None:
    if entry.is_dir(follow_symlinks=False):
        shutil.rmtree(entry.path)
    else:
        Path(entry.path).unlink()


def _is_same(entry: os.DirEntry[str], copy: Path) -> bool:
    original = entry.stat(follow_symlinks=False)
    try:
        found = copy.lstat()
    except FileNotFoundError:
        return False
    return (found.st_size, found.st_mtime_ns) == (original.st_size, original.st_mtime_ns)


def _copy_file(entry: os.DirEntry[str], target: Path, owner: Account | None) -> None:
    with open(entry.path, "rb") as reading, target.open("wb") as writing:  # noqa: PTH123 - scandir gives strings
        status = os.fstat(reading.fileno())
        if status.st_size and not _clone(reading.fileno(), writing.fileno()):
            _copy_range(reading.fileno(), writing.fileno(), status.st_size)
        os.fchmod(writing.fileno(), stat.S_IMODE(status.st_mode))
        if owner is not None:
            os.fchown(writing.fileno(), owner.uid, owner.gid)
        os.utime(writing.fileno(), ns=(status.st_atime_ns, status.st_mtime_ns))


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
