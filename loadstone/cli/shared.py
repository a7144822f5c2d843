"""What several commands need: the project, consoles, options."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console

from loadstone.config.load import Project, find_config, load_project
from loadstone.config.model import Source
from loadstone.config.sides import split_side
from loadstone.errors import ConfigurationError
from loadstone.record.folder import CAPACITY_RESULT, RESULT, latest_run
from loadstone.target.checkouts import Say, interpreter_for, pinned, source_of

F = TypeVar("F", bound=Callable[..., Any])


def config_option(function: F) -> F:
    """Add `--config FILE`."""
    return click.option(
        "--config",
        "config",
        type=click.Path(path_type=Path, dir_okay=False),
        help="The project's loadstone.toml; by default the nearest one above.",
    )(function)


def open_project(config: Path | None) -> Project:
    """Return the project that `--config` names, or the nearest one; raises `ConfigurationError`."""
    return load_project(config if config is not None else find_config(Path.cwd()))


def find_run(run: str | None, config: Path | None, names: Iterable[str] = (RESULT, CAPACITY_RESULT)) -> Path:
    """Return the folder of a run named by its folder, a file in it, or its id.

    By default it is the newest that holds a result of one of `names`.

    Raises:
        ConfigurationError: there is no such run.
    """
    if run is None:
        return latest_run(open_project(config).reports, names)
    path = Path(run)
    if path.exists():
        return path if path.is_dir() else path.parent
    remedy = "name a run folder, or the id of a run in the project's reports/"
    try:
        reports = open_project(config).reports
    except ConfigurationError as error:
        raise ConfigurationError(f"there is no run {run!r}", cause=error.problem, remedy=remedy) from error
    if path.name != run or not (reports / run).is_dir():
        raise ConfigurationError(f"there is no run {run!r}", cause=f"not in {reports} either", remedy=remedy)
    return reports / run


def sources_of(
    project: Project, before: str, after: str, *, quiet: bool = False
) -> tuple[Source | None, Source | None]:
    """Return the commits that the sides of a comparison name, written to disk, with their environments.

    Raises:
        ConfigurationError: a side names no commit.
        TargetError: an environment could not be made.
    """
    console = err()
    console.quiet = quiet

    def say(text: str) -> None:
        console.print(text)

    sources = _source(project, before, say), _source(project, after, say)
    target = project.raw.target
    roots = [source.root if source else project.root for source in sources]
    if any(sources) and not target.install and len({pinned(root, target.lock) for root in roots}) > 1:
        say(
            "warning: the sides pin other dependencies, and both run with the same; "
            "say in target.install how an environment is made"
        )
    return sources


def _source(project: Project, side: str, say: Say) -> Source | None:
    ref, _ = split_side(side)
    if not ref:
        return None
    source = source_of(project.root, ref, project.state)
    target = project.raw.target
    python = interpreter_for(
        source,
        install=target.install,
        lock=target.lock,
        directory=target.directory,
        state=project.state,
        say=say,
    )
    return replace(source, python=python)


class PatientConsole(Console):
    """A console whose reader may go away: what is measured goes on, unseen."""

    def on_broken_pipe(self) -> None:
        """Say no more."""
        self.quiet = True


def out() -> Console:
    """Return a console on standard output (NO_COLOR and pipes are respected)."""
    return PatientConsole(soft_wrap=False, highlight=False)


def err() -> Console:
    """Return a console on standard error."""
    return PatientConsole(stderr=True, soft_wrap=False, highlight=False)
