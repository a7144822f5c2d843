"""Options that let Prometheus watch a run, for every command that offers load."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from loadstone.cli.options import grouped
from loadstone.errors import ConfigurationError
from loadstone.lanes.watcher import Unwatched, Watcher
from loadstone.telemetry.endpoint import Wish, scraped

metrics_options = grouped(
    "metrics",
    Wish,
    {
        "metrics": click.option(
            "--metrics",
            metavar="[HOST:]PORT",
            default="",
            help="Let Prometheus scrape this run here, on loopback unless a confirmed HOST is told.",
        ),
        "metrics_targets": click.option(
            "--metrics-targets",
            metavar="FILE",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Keep the variants' addresses in this file, for Prometheus' file_sd.",
        ),
    },
)
"""Adds the options; the function gets them as one `metrics`."""


@contextmanager
def watcher_of(wish: Wish, allowed_hosts: Collection[str]) -> Iterator[Watcher]:
    """Yield who watches: Prometheus where it was asked for, otherwise nobody.

    Raises:
        ConfigurationError: it cannot be.
    """
    if not wish.address:
        if wish.targets is not None:
            raise ConfigurationError("nobody scrapes this run", remedy="add --metrics 9464")
        yield Unwatched()
        return
    if wish.targets is not None and not wish.targets.absolute().parent.is_dir():
        raise ConfigurationError(
            f"{wish.targets} cannot be written",
            cause="its folder does not exist",
            remedy="make it, or name a file in another folder",
        )
    with scraped(wish, allowed_hosts) as watcher:
        yield watcher
