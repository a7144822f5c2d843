"""How far a benchmark has come, on standard error: a bar on a terminal, elsewhere at most a line a second."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

EVERY_S = 1.0
Step = Callable[[str], None]
"""Say what begins now; whatever was said before is done."""


@contextmanager
def steps(total: int) -> Iterator[Step]:
    """Yield a function to call at the beginning of each of `total` steps.

    rich honours NO_COLOR and tells a terminal from a pipe.
    """
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield _lines(console, total)
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
        task, begun = bar.add_task("", total=total), itertools.count()
        yield lambda text: bar.update(task, description=text, completed=next(begun))


def say(text: str) -> None:
    """Print one line on standard error."""
    Console(stderr=True, highlight=False).print(text, markup=False, soft_wrap=True)


def _lines(console: Console, total: int) -> Step:
    done, told = 0, 0.0

    def step(text: str) -> None:
        nonlocal done, told
        done += 1
        if time.monotonic() - told >= EVERY_S:
            told = time.monotonic()
            console.print(f"[{done}/{total}] {text}", markup=False, soft_wrap=True)

    return step
