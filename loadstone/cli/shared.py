"""What several commands need: the project, consoles, options."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console

from loadstone.config.load import Project, find_config, load_project

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
