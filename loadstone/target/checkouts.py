"""A commit of the project's repository as the source of a variant: its files, and an interpreter for it.

Files are written from the repository's objects into the state folder, through an
index of our own: the user's working tree, index and list of worktrees stay as
they are. An environment is made where `target.install` says how, one for each
content of the files that `target.lock` names.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from loadstone.config.model import Source
from loadstone.errors import ConfigurationError, TargetError
from loadstone.target.folders import locked, remove

CHECKOUTS, ENVIRONMENTS = "checkouts", "environments"
KEPT = 8
"""Checkouts and environments that are kept, the ones used last."""
DIGITS = 12
TAIL = 15
MEND = "correct target.install"
Say = Callable[[str], None]


def source_of(root: Path, ref: str, state: Path) -> Source:
    """Return the files of commit `ref` of the repository around `root`, written where they are not yet.

    Args:
        root: the project's folder; the source's `root` is the same folder as of that commit.
        ref: a branch, tag or commit.
        state: the project's state folder.

    Raises:
        ConfigurationError: there is no repository, no such commit, or the folder is not in it.
    """
    top = _top(root, ref)
    commit = _commit(top, ref)
    folder = state / CHECKOUTS / commit[:DIGITS]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.with_suffix(".lock")):
        if not folder.is_dir():
            _write(top, commit, folder)
    os.utime(folder)
    _forget(folder.parent)
    inside = folder / root.resolve().relative_to(top)
    if not inside.is_dir():
        raise ConfigurationError(
            f"{ref} does not hold this project",
            cause=f"commit {commit[:DIGITS]} has no {inside.relative_to(folder)}",
            remedy="name a commit in which the project's folder exists",
        )
    subject = _git(top, "log", "-1", "--format=%s", commit)
    provenance = {"ref": ref, "commit": commit, "subject": subject[:120]}
    return Source(root=inside, commit=commit, provenance=provenance)


def interpreter_for(
    source: Source,
    *,
    install: Sequence[Sequence[str]],
    lock: Sequence[str],
    directory: str,
    state: Path,
    say: Say,
) -> Path | None:
    """Return the Python of an environment with what `source` pins; None where none is to be made.

    Raises:
        TargetError: a command of `install` failed; its cause is the tail of what it wrote.
    """
    if not install:
        return None
    key = pinned(source.root, lock, install)
    folder = state / ENVIRONMENTS / key
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.with_suffix(".lock")):
        if not (folder / ".complete").is_file():
            remove(folder)
            say(f"making an environment for {source.provenance.get('ref', source.commit[:DIGITS])}")
            _run([sys.executable, "-m", "venv", str(folder)], source.root)
            python = str(folder / "bin" / "python")
            for words in install:
                _run([word.replace("{python}", python) for word in words], source.root / directory)
            (folder / ".complete").touch()
    os.utime(folder)
    _forget(folder.parent)
    return folder / "bin" / "python"


def pinned(root: Path, lock: Sequence[str], install: Sequence[Sequence[str]] = ()) -> str:
    """Return a digest of the files that pin dependencies, and of what would install them."""
    digest = hashlib.sha256(repr((sys.version, [list(words) for words in install])).encode())
    for path in sorted({path for pattern in lock for path in root.glob(pattern) if path.is_file()}):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:DIGITS]


def forget_all(state: Path, *, dry_run: bool) -> list[Path]:
    """Remove checkouts and environments; return what was removed."""
    found = [state / name for name in (CHECKOUTS, ENVIRONMENTS) if (state / name).is_dir()]
    for folder in found if not dry_run else ():
        remove(folder)
    return found


def _top(root: Path, ref: str) -> Path:
    if shutil.which("git") is None:
        raise _unknown(ref, "git is not installed")
    try:
        return Path(_git(root, "rev-parse", "--show-toplevel")).resolve()
    except ConfigurationError as error:
        raise _unknown(ref, f"{root} is in no git repository") from error


def _commit(top: Path, ref: str) -> str:
    if ref.startswith("-"):
        raise _unknown(ref, "it begins like an option")
    try:
        return _git(top, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    except ConfigurationError as error:
        raise _unknown(ref, f"git finds no branch, tag or commit of this name in {top}") from error


def _unknown(ref: str, cause: str) -> ConfigurationError:
    return ConfigurationError(
        f"{ref!r} is no choice of a toggle, and no commit either",
        cause=cause,
        remedy="write TOGGLE=CHOICE, such as orm=naive, or the name of a commit that is here",
    )


def _write(top: Path, commit: str, folder: Path) -> None:
    """Write a commit's files; the folder appears once it is whole."""
    half = folder.with_suffix(".half")
    remove(half)
    half.mkdir()
    index = {"GIT_INDEX_FILE": str(folder.with_suffix(".index"))}
    try:
        _git(top, "read-tree", commit, env=index)
        _git(top, "checkout-index", "--all", "--force", f"--prefix={half}/", env=index)
        half.rename(folder)
    finally:
        folder.with_suffix(".index").unlink(missing_ok=True)
        remove(half)


def _forget(parent: Path) -> None:
    """Remove all but the folders used last, unless somebody is making one of them."""
    folders = sorted(
        (each for each in parent.iterdir() if each.is_dir()), key=lambda each: -each.stat().st_mtime
    )
    for folder in folders[KEPT:]:
        with locked(folder.with_suffix(".lock"), wait=False) as unused:
            if unused:
                remove(folder)


def _git(folder: Path, *words: str, env: dict[str, str] | None = None) -> str:
    command = ["git", "-C", str(folder), *words]
    whole = {**os.environ, **(env or {})}
    done = subprocess.run(command, capture_output=True, text=True, env=whole, check=False)
    if done.returncode != 0:
        raise ConfigurationError(f"git {words[0]} failed", cause=done.stderr.strip()[-400:])
    return done.stdout.strip()


def _run(words: list[str], folder: Path) -> None:
    shown = " ".join(words)
    try:
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    except OSError as error:
        raise TargetError(
            f"`{shown}` cannot be run", cause=str(error), remedy="correct target.install"
        ) from error
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-TAIL:])
        raise TargetError(f"`{shown}` failed", cause=tail, remedy=MEND)
