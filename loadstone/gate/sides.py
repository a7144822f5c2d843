"""Base and head of a gate as commits, and which lines the head changed."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from loadstone.errors import ConfigurationError
from loadstone.record.gated import GateSide

STANDS = "."
"""The project as it stands, committed or not."""
TRUNKS = ("origin/HEAD", "origin/main", "origin/master", "main", "master")
_HUNK = re.compile(r"^@@ -\S+ \+(\d+)(?:,(\d+))? @@")
_FILE = re.compile(r"^\+\+\+ b/(.*)$")


@dataclass(frozen=True, slots=True)
class Sides:
    """The two commits that are compared."""

    top: Path
    """Root of the repository."""
    base: GateSide
    head: GateSide
    """Without a commit: the project as it stands."""


def find_sides(root: Path, base: str | None, head: str) -> Sides:
    """Return base and head.

    Args:
        root: a folder in the repository.
        base: a commit; None: the first parent of `head` where that is a merge, else where it
            left the trunk, else its parent.
        head: a commit, or `.`.

    Raises:
        ConfigurationError: there is no repository, or no such commit.
    """
    top = _git(root, "rev-parse", "--show-toplevel")
    if top is None:
        raise ConfigurationError(
            "the gate compares commits, and this is no git repository",
            cause=str(root),
            remedy="run it in a clone",
        )
    folder = Path(top).resolve()
    chosen = base if base is not None else _default_base(folder, head)
    return Sides(folder, _side(folder, chosen), _side(folder, head))


def commits_between(root: Path, good: str, bad: str) -> list[str]:
    """Return the commits after `good` up to `bad`, first parents alone, the oldest first.

    Raises:
        ConfigurationError: one of them is not there, or `bad` does not follow `good`.
    """
    sides = find_sides(root, good, bad)
    told = _git(
        sides.top, "rev-list", "--first-parent", "--reverse", f"{sides.base.commit}..{sides.head.commit}"
    )
    after = _git(sides.top, "merge-base", "--is-ancestor", sides.base.commit, sides.head.commit) is not None
    if not told or not after:
        raise ConfigurationError(
            f"{bad} does not follow {good}",
            cause="bisecting takes commits from a good one to a bad one",
            remedy="name the older commit first",
        )
    return told.split()


def changed_lines(sides: Sides) -> dict[str, set[int]]:
    """Return the lines that head has and base has not, by file from the root of the repository."""
    found: dict[str, set[int]] = {}
    told = _git(
        sides.top, "diff", "--unified=0", "--no-color", "--no-ext-diff", sides.base.commit, sides.head.commit
    )
    current: set[int] = set()
    for line in (told or "").splitlines():
        if match := _FILE.match(line):
            current = found.setdefault(match[1], set())
        elif match := _HUNK.match(line):
            start, count = int(match[1]), int(match[2] or 1)
            current |= set(range(start, start + count))
    return found


def in_repository(sides: Sides, directory: str, root: Path, source: str) -> str:
    """Return the file of head that an app calls `source`, from the root of the repository; else nothing.

    Args:
        sides: base and head.
        directory: the app's working folder, below the project's.
        root: the project's folder.
        source: a path as the app has it: within its folder, or absolute within a checkout.
    """
    project = root.resolve().relative_to(sides.top).as_posix()
    parts = PurePosixPath(source).parts
    tails = [PurePosixPath(*parts[start:]) for start in range(1 if source.startswith("/") else 0, len(parts))]
    for tail in tails if source.startswith("/") else tails[:1]:
        for below in (PurePosixPath(project, directory), PurePosixPath(project), PurePosixPath()):
            path = _plain(below / tail)
            if path and _exists(sides, path):
                return path
    return ""


def _exists(sides: Sides, path: str) -> bool:
    if not sides.head.commit:
        return (sides.top / path).is_file()
    return _git(sides.top, "cat-file", "-e", f"{sides.head.commit}:{path}") is not None


def _plain(path: PurePosixPath) -> str:
    """Return a path without dots; nothing where it leads outside."""
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            if not parts:
                return ""
            parts.pop()
        elif part not in {".", "/"}:
            parts.append(part)
    return "/".join(parts)


def _default_base(top: Path, head: str) -> str:
    if head == STANDS:
        return "HEAD"
    if _git(top, "rev-parse", "--verify", "--quiet", f"{head}^2") is not None:
        return f"{head}^1"
    commit = _git(top, "rev-parse", "--verify", "--quiet", f"{head}^{{commit}}")
    for trunk in TRUNKS:
        fork = _git(top, "merge-base", trunk, head)
        if fork is not None and fork != commit:
            return fork
    if _git(top, "rev-parse", "--verify", "--quiet", f"{head}^1") is not None:
        return f"{head}^1"
    raise ConfigurationError(
        f"there is nothing to compare {head} with",
        cause="it has no parent here",
        remedy="name a commit with --base; a shallow clone needs fetch-depth: 2",
    )


def _side(top: Path, ref: str) -> GateSide:
    if ref == STANDS:
        return GateSide(ref=ref, commit="", subject="the project as it stands")
    told = None if ref.startswith("-") else _git(top, "log", "-1", "--format=%H%n%s", ref, "--")
    if not told:
        raise ConfigurationError(
            f"git finds no commit {ref!r}",
            cause=f"in {top}",
            remedy="name a branch, tag or commit that is here; a shallow clone needs fetch-depth: 2",
        )
    commit, _, subject = told.partition("\n")
    return GateSide(ref=ref, commit=commit, subject=subject[:120])


def _git(folder: Path, *words: str) -> str | None:
    """Return what git says; None where it fails."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, errors="replace", check=False
        )
    except OSError as error:
        raise ConfigurationError("git cannot be run", cause=str(error), remedy="install git") from error
    return done.stdout.strip() if done.returncode == 0 else None
