"""Removing what runs leave in the state folder, except what a living run uses."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from loadstone.target import folders
from loadstone.target.folders import State, locked
from loadstone.target.reaper import stop_processes

LOCK = "lock"
"""File in a run's folder that the run holds locked for as long as it lives."""
PID = "pid"
"""File in a run's folder that names the harness's process."""


@dataclass(slots=True)
class _Cleaning:
    """What was removed (or would be), and what living runs use."""

    dry_run: bool = False
    removed: list[Path] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)

    def remove(self, folder: Path) -> None:
        self.removed.append(folder)
        if not self.dry_run:
            folders.remove(folder)


@contextmanager
def run_folder(state: State, token: str) -> Iterator[Path]:
    """Make the folder of a run and hold its lock; remove those of dead runs first."""
    with locked(state.root / "slots.lock"):  # nobody may take the folder for a dead run's before it is locked
        for each in (state.templates, state.slots):  # `remove_husk` of another run may have been here
            folders.passable_folder(each)
        _remove_dead_runs(state, _Cleaning())
        folder = folders.passable_folder(state.slots / token)
        held = locked(folder / LOCK)
        held.__enter__()
        (folder / PID).write_text(str(os.getpid()))
    try:
        yield folder
    finally:
        held.__exit__(None, None, None)


def remove_husk(state: State) -> None:
    """Remove a state folder without templates and runs, so that short-lived projects leave none behind."""
    with suppress(FileNotFoundError), locked(state.root / "slots.lock"):  # another run may have removed it
        if not any(each.is_dir() for each in (*state.templates.glob("*"), *state.slots.glob("*"))):
            _remove_empty(state)


def other_runs(state: State, *, own: str = "") -> list[str]:
    """Return the tokens of living runs of this project, in order; they disturb each other's timing.

    Args:
        state: the project's, as in `Stage.state`.
        own: token of the run that asks, which is left out.
    """
    living = []
    with suppress(FileNotFoundError), locked(state.root / "slots.lock"):  # so that no run is half begun
        for folder in sorted(state.slots.glob("*")):
            if folder.name != own and (folder / LOCK).exists():
                with locked(folder / LOCK, wait=False, shared=True) as dead:
                    living += [] if dead else [folder.name]
    return living


def clean_state(wanted: Path, *, dry_run: bool = False) -> tuple[list[Path], list[Path]]:
    """Remove templates, dead runs and copies of installations; return what was removed, and what is in use.

    Args:
        wanted: the project's state folder, as given to `Stage`.
        dry_run: only say what would be removed.
    """
    state = State.find(wanted)
    if state is None:
        return [], []
    cleaning = _Cleaning(dry_run)
    with locked(state.root / "slots.lock"):
        _remove_dead_runs(state, cleaning)
        _remove_templates(state, cleaning)
        if not cleaning.kept and state.installations.exists():
            cleaning.remove(state.installations)
    if not cleaning.kept and not dry_run:
        _remove_empty(state)
    return cleaning.removed, cleaning.kept


def _remove_dead_runs(state: State, cleaning: _Cleaning) -> None:
    for folder in sorted(state.slots.iterdir()):
        with locked(folder / LOCK, wait=False) as dead:
            if not dead:
                cleaning.kept.append(folder)
                continue
            if not cleaning.dry_run:
                stop_processes(folder.name)
            cleaning.remove(folder)


def _remove_templates(state: State, cleaning: _Cleaning) -> None:
    living = {folder.name for folder in cleaning.kept}
    for folder in sorted(each for each in state.templates.iterdir() if each.is_dir()):
        key, _, token = folder.name.partition(".")
        lock = state.templates / f"{key}.lock"
        with locked(lock, wait=False) as unused:
            if not unused or token in living:
                cleaning.kept.append(folder)
                continue
            cleaning.remove(folder)
            if not cleaning.dry_run:
                lock.unlink(missing_ok=True)


def _remove_empty(state: State) -> None:
    """Remove the state folder itself, unless something else is in it."""
    for name in ("slots.lock", "password", "password.lock"):
        (state.root / name).unlink(missing_ok=True)
    for lock in state.templates.glob("*.lock"):
        lock.unlink()
    for folder in (state.templates, state.slots, state.root):
        with suppress(OSError):  # not empty: a run has begun meanwhile
            folder.rmdir()
