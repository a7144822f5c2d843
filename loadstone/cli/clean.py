"""`loadstone clean`: remove templates, slots and what was measured of the machine."""

from __future__ import annotations

from pathlib import Path

import click

from loadstone.cli.shared import config_option, open_project
from loadstone.record.noise import forget_profiles
from loadstone.target.checkouts import forget_all
from loadstone.target.clean import clean_state

EPILOG = """\b
Examples:
  loadstone clean
  loadstone clean --dry-run
"""


@click.command("clean", epilog=EPILOG)
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@config_option
def command(config: Path | None, *, dry_run: bool) -> None:
    """Remove the templates, slots, checkouts and noise profiles of this project; runs in reports/ are kept.

    What belongs to a run that is still going on is left alone.
    """
    project = open_project(config)
    profiles = forget_profiles(project.state, dry_run=dry_run)
    removed, kept = clean_state(project.state, dry_run=dry_run)
    removed += profiles + forget_all(project.state, dry_run=dry_run)
    for path in removed:
        click.echo(f"{'would remove' if dry_run else 'removed'} {path}")
    for path in kept:
        click.echo(f"in use, left alone: {path}")
    if not removed and not kept:
        click.echo("nothing to remove")
