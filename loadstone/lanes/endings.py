"""How runs end: signals that end them, faults that nobody foresaw, and disks that take no more."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from loadstone.errors import LoadstoneError, MeasurementError


def unforeseen(error: Exception) -> LoadstoneError:
    """Return what to tell of any other error that ended the measuring."""
    return MeasurementError(
        "the run could not go on",
        cause=f"{type(error).__name__}: {error}",
        remedy="mend that and repeat the run; if it is no fault of the machine, report it",
    )


def unwritten(
    folder: Path, error: OSError, remedy: str = "make room, and repeat the run"
) -> MeasurementError:
    """Return what to tell where a run's folder takes no more."""
    return MeasurementError(f"the report could not be written to {folder}", cause=str(error), remedy=remedy)


@contextmanager
def writing_to(folder: Path, fault: LoadstoneError | None = None) -> Iterator[None]:
    """Turn an `OSError` into a `MeasurementError` that names the folder; `fault` is what came before."""
    try:
        yield
    except OSError as error:
        raise unwritten(folder, error) from fault or error


def ignore_signals() -> None:
    """Let no signal to end disturb what is left to do."""
    for one in _endings():
        signal.signal(one, signal.SIG_IGN)


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn the first signal to end into KeyboardInterrupt; later ones do not disturb the clean-up."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        del number, frame
        ignore_signals()
        raise KeyboardInterrupt

    before = {one: signal.signal(one, interrupt) for one in _endings()}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _endings() -> list[signal.Signals]:
    """Return the signals that end a run; who starts it under nohup wants it to outlive the terminal."""
    hangup = [] if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else [signal.SIGHUP]
    return [signal.SIGINT, signal.SIGTERM, *hangup]
