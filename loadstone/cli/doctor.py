"""`loadstone doctor`: is this machine fit to measure on, and how small a change does it show?"""

from __future__ import annotations

import os
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table

from loadstone.cli.noise import render_outlook, render_profile
from loadstone.cli.progress import progress_view
from loadstone.cli.shared import config_option, err, out
from loadstone.config.bounds import parse_gating
from loadstone.config.load import Project, find_config, load_project
from loadstone.config.raw import RawCompare
from loadstone.config.units import parse_duration, parse_share
from loadstone.errors import ConfigurationError, ExitCode
from loadstone.lanes.floor import REQUESTS_S, Outlook, measure_noise, outlook
from loadstone.lanes.health import examine
from loadstone.record.noise import NoiseProfile, save_profile, user_folder
from loadstone.record.result import Check, CheckStatus

EPILOG = """\b
Examples:
  loadstone doctor
  loadstone doctor --json
  loadstone doctor --noise
  loadstone doctor --noise --for 2m --request 8ms
\b
--noise compares a small server with itself for a minute, by the same means as compare
does, and tells which change of the mean latency is seen within how many minutes. What it
finds is kept in the project's .loadstone (outside a project: in the user's cache), and
compare plans with it on this machine.
"""
MARKS = {
    CheckStatus.OK: "[green]✓ ok[/green]",
    CheckStatus.WARN: "[yellow]! warn[/yellow]",
    CheckStatus.FAIL: "[red]✗ fail[/red]",
}
NOISE_TIME = "50s"


class _Told(msgspec.Struct, frozen=True, kw_only=True):
    """What `--noise --json` prints."""

    checks: list[Check]
    noise: NoiseProfile
    kept: str
    outlook: list[Outlook]


@click.command("doctor", epilog=EPILOG)
@click.option("--noise", is_flag=True, help="Measure the noise of this machine, for a minute.")
@click.option(
    "--for", "duration", metavar="TIME", help=f"How long to measure, with --noise.  [default: {NOISE_TIME}]"
)
@click.option(
    "--request",
    "requests",
    multiple=True,
    metavar="TIME",
    help="How long the requests take that you want to compare, such as 8ms (repeat), with --noise.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON, and the noise with --noise.")
@config_option
def command(
    noise: bool, duration: str | None, requests: tuple[str, ...], as_json: bool, config: Path | None
) -> int:
    """Check Python, memory, cores, clock, noise floor, ports and the services' binaries."""
    if not noise and (duration or requests):
        raise click.UsageError("--for and --request go with --noise")
    seconds = parse_duration(duration or NOISE_TIME)
    requests_s = sorted({parse_duration(one) for one in requests}) or REQUESTS_S
    project = _find_project(config)
    checks = examine(project.root if project else Path.cwd())
    if not as_json:
        _render_checks(out(), checks)
    if noise:
        return _measure(project, checks, seconds, tuple(requests_s), as_json=as_json)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(checks), indent=2))
    return _exit_code(checks)


def _find_project(config: Path | None) -> Project | None:
    """Return the project; None where there is none, which is no fault here."""
    try:
        return load_project(config if config is not None else find_config(Path.cwd()))
    except ConfigurationError:
        if config is not None:
            raise
        return None


def _measure(
    project: Project | None,
    checks: list[Check],
    seconds: float,
    requests_s: tuple[float, ...],
    *,
    as_json: bool,
) -> int:
    own = project is not None and os.access(project.root, os.W_OK)
    folder = project.state if project and own else user_folder()
    with progress_view(quiet=as_json) as view:
        profile, doubts = measure_noise(folder, seconds, view)
    path = save_profile(folder, profile)
    outlooks = outlook(profile, *_gate(project), requests_s)
    if as_json:
        told = _Told(checks=[*checks, *doubts], noise=profile, kept=str(path), outlook=outlooks)
        click.echo(msgspec.json.format(msgspec.json.encode(told), indent=2))
    else:
        _render_checks(err(), doubts)
        render_profile(out(), profile, path)
        render_outlook(out(), outlooks)
    return _exit_code(checks)


def _gate(project: Project | None) -> tuple[float, tuple[str, ...]]:
    """Return the false-alarm rate of comparisons to come, and the gating metrics that share it."""
    compare = project.raw.compare if project else RawCompare()
    return parse_share(compare.alpha), parse_gating(tuple(compare.gating))


def _render_checks(console: Console, checks: list[Check]) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    for check in checks:
        advice = f"\n→ {check.remedy}" if check.remedy else ""
        table.add_row(MARKS[check.status], check.name, check.message + advice)
    if checks:
        console.print(table)


def _exit_code(checks: list[Check]) -> int:
    failed = any(check.status is CheckStatus.FAIL for check in checks)
    return int(ExitCode.INVALID if failed else ExitCode.OK)
