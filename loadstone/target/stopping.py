"""Ending the living runs of a project from outside: as Ctrl-C does, or at once."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from loadstone.target.clean import PID, other_runs
from loadstone.target.folders import State
from loadstone.target.reaper import stop_processes

PATIENCE_S = 30.0
"""How long a run may take to put away what it started and to write its partial report."""


def stop_runs(wanted: Path, *, at_once: bool, patience_s: float = PATIENCE_S) -> tuple[list[str], list[str]]:
    """End every living run of a project; return the tokens of the ended ones, and of those that were killed.

    Args:
        wanted: the project's state folder, as given to `Stage`.
        at_once: kill them without a partial report; their journals keep what was sealed.
        patience_s: seconds after which a run that was asked to end is killed.
    """
    state = State.find(wanted)
    runs = other_runs(state) if state is not None else []
    if state is None or not runs:
        return [], []
    if not at_once:
        for token in runs:
            _signal(state, token, signal.SIGINT)
        _wait(lambda: not _living(state, runs), patience_s)
    stuck = _living(state, runs)
    for token in stuck:
        _signal(state, token, signal.SIGKILL)
    _wait(lambda: not _living(state, stuck), patience_s)
    for token in stuck:
        stop_processes(token)
    return [token for token in runs if token not in stuck], stuck


def _living(state: State, among: list[str]) -> list[str]:
    living = other_runs(state)
    return [token for token in among if token in living]


def _signal(state: State, token: str, number: signal.Signals) -> None:
    """Signal the process that holds the run's lock; one that has ended meanwhile is left alone."""
    if not _living(state, [token]):
        return
    with suppress(OSError, ValueError):
        os.kill(int((state.slots / token / PID).read_text()), number)


def _wait(done: Callable[[], bool], patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while not done() and time.monotonic() < deadline:
        time.sleep(0.05)
