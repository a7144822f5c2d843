"""`loadstone stop`: end the runs of this project that go on."""

from __future__ import annotations

from pathlib import Path

import click

from loadstone.cli.shared import config_option, open_project
from loadstone.target.stopping import stop_runs

EPILOG = """\b
Examples:
  loadstone stop
  loadstone stop --now
\b
Each run ends as with Ctrl-C: its load stops at once, it leaves a partial report, and
loadstone resume goes on with it. One that does not end within half a minute is killed.
"""


@click.command("stop", epilog=EPILOG)
@click.option("--now", is_flag=True, help="Kill them at once, without a partial report.")
@config_option
def command(config: Path | None, *, now: bool) -> None:
    """Stop every run of this project that goes on, whoever started it, with all its processes."""
    ended, killed = stop_runs(open_project(config).state, at_once=now)
    for token in ended:
        click.echo(f"stopped {token}")
    for token in killed:
        click.echo(f"killed {token}: its journal keeps what was sealed")
    if not ended and not killed:
        click.echo("no run of this project goes on")
