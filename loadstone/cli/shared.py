"""What several commands need: the project, consoles, options."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console

from loadstone.config.load import Project, find_config, load_project
from loadstone.errors import ConfigurationError
from loadstone.record.folder import latest_run

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


def find_run(run: str | None, config: Path | None) -> Path:
    """Return the folder of a run named by its folder, a file in it, or its id; by default the newest.

    Raises:
        ConfigurationError: there is no such run.
    """
    if run is None:
        return latest_run(open_project(config).reports)
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
