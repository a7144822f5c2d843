"""Cooking a recipe: its commands and its DDL, against whatever database it gets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from loadstone.config.model import Recipe, Variant
from loadstone.errors import TargetError
from loadstone.target import folders, placeholders, upkeep
from loadstone.target.children import Child
from loadstone.target.placeholders import Place
from loadstone.target.ports import Ports
from loadstone.target.processes import Supervisor
from loadstone.target.sql import session

_PERCENT = re.compile(r"(\d{1,3})\s?%")

Progress = Callable[[str, float | None], None]
"""Called with what is being done and, where known, the fraction done."""


WAITING = "waiting for another run to build the same data"


def silent(stage: str, fraction: float | None) -> None:
    """Be a Progress that shows nothing."""


class Lender(Protocol):
    """Lends a Redis to commands that prepare data."""

    def lend(self, folder: Path) -> Iterator[str]:
        """Yield the URL of an empty Redis; `folder` may be used meanwhile."""


class Kitchen:
    """Runs the commands of recipes."""

    def __init__(self, supervisor: Supervisor, ports: Ports, lender: Lender) -> None:
        self._supervisor = supervisor
        self._ports = ports
        self._lend = contextmanager(lender.lend)

    def prepare(self, variant: Variant, url: str, folder: Path, progress: Progress) -> None:
        """Fill the empty database at `url`, then vacuum, freeze and analyse it.

        Args:
            variant: whose recipe, environment and working folder are used.
            url: of the database.
            folder: gets the commands' logs, in `logs`, and their scratch files.
            progress: told of each command.

        Raises:
            TargetError: a command failed; the cause is the tail of what it wrote.
        """
        scratch = folders.private_folder(folder / "scratch")
        port = self._ports.take()
        try:
            with self._lend(folder) as redis_url:
                place = Place(port, url, redis_url, scratch)
                for number in range(len(variant.recipe.prepare)):
                    self._run(number, variant, place, folder / "logs", progress)
        finally:
            self._ports.give_back(port)
            folders.remove(scratch)
        progress("vacuuming and analysing", None)
        with session(url) as database:
            upkeep.keep_all(database)

    def _run(self, number: int, variant: Variant, place: Place, logs: Path, progress: Progress) -> None:
        words = variant.recipe.prepare[number]
        label = placeholders.shown(words, variant, place)
        stage = f"preparing data ({number + 1} of {len(variant.recipe.prepare)}): {label}"
        progress(stage, None)

        def tick(child: Child, elapsed_s: float) -> None:
            percent = _PERCENT.findall(child.log_tail(1))
            progress(f"{stage}, {elapsed_s:.0f} s", min(int(percent[-1]), 100) / 100 if percent else None)

        child = self._supervisor.run(
            label,
            placeholders.command(words, variant, place),
            log=logs / f"prepare-{number + 1}.log",
            cwd=variant.directory,
            env=placeholders.environment(variant, place),
            tick=tick,
        )
        if child.process.returncode != 0:
            raise TargetError(
                f"preparing the data of {variant.label} failed: `{label}` {child.ending()}",
                cause=child.log_tail(),
                remedy=f"run it by hand in {variant.directory}",
            )


def apply_ddl(recipe: Recipe, url: str, progress: Progress) -> list[str]:
    """Run a recipe's DDL, then vacuum and analyse what it made; return those statements."""
    with session(url) as database:
        before = upkeep.fingerprint(database)
        for statement in recipe.ddl:
            progress(f"changing the schema: {statement}", None)
            try:
                database.run(statement)
            except TargetError as error:
                raise TargetError(
                    f"the schema change `{statement}` failed",
                    cause=error.cause,
                    remedy="correct the toggle's ddl",
                ) from error
        return upkeep.keep_new(database, before)
