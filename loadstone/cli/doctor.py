"""`loadstone doctor`: is this machine fit to measure on?"""

from __future__ import annotations

from pathlib import Path

import click
import msgspec
from rich.table import Table

from loadstone.cli.shared import config_option, out
from loadstone.config.load import find_config, load_project
from loadstone.errors import ConfigurationError, ExitCode
from loadstone.lanes.health import examine
from loadstone.record.result import CheckStatus

EPILOG = """\b
Examples:
  loadstone doctor
  loadstone doctor --json
"""
MARKS = {
    CheckStatus.OK: "[green]✓ ok[/green]",
    CheckStatus.WARN: "[yellow]! warn[/yellow]",
    CheckStatus.FAIL: "[red]✗ fail[/red]",
}


@click.command("doctor", epilog=EPILOG)
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
@config_option
def command(config: Path | None, *, as_json: bool) -> int:
    """Check Python, memory, cores, clock, noise floor, ports and the services' binaries."""
    project = None
    try:
        project = load_project(config if config is not None else find_config(Path.cwd()))
    except ConfigurationError:
        if config is not None:
            raise
    checks = examine(project.root if project else Path.cwd())
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(checks), indent=2))
    else:
        table = Table(box=None, pad_edge=False, show_header=False)
        for check in checks:
            advice = f"\n→ {check.remedy}" if check.remedy else ""
            table.add_row(MARKS[check.status], check.name, check.message + advice)
        out().print(table)
    failed = any(check.status is CheckStatus.FAIL for check in checks)
    return int(ExitCode.INVALID if failed else ExitCode.OK)
