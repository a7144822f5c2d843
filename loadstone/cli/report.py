"""`loadstone report`: open, build and compare the reports of runs."""

from __future__ import annotations

import json
import webbrowser
from pathlib import Path

import click

from loadstone.cli.shared import config_option, find_run, out
from loadstone.record.folder import PAGE, load_result
from loadstone.record.result import Result
from loadstone.report import diff
from loadstone.report.files import write_reports

EPILOG = """\b
Examples:
  loadstone report open
  loadstone report build reports/20260101T120000Z-orm-naive-orm-prefetch
  loadstone report diff reports/RUN reports/OTHER_RUN
"""


@click.group("report", epilog=EPILOG)
def command() -> None:
    """Open, build or compare the reports of runs."""


@command.command("open")
@click.argument("run", required=False)
@click.option("--print", "only_print", is_flag=True, help="Print the page's path and open nothing.")
@config_option
def open_(run: str | None, config: Path | None, *, only_print: bool) -> None:
    """Open the HTML report of RUN (a folder or an id; by default the newest) in a browser."""
    folder = find_run(run, config)
    page = folder / PAGE
    if not page.is_file():
        write_reports(folder, load_result(folder))
    click.echo(str(page))
    if not only_print:
        webbrowser.open(page.resolve().as_uri())


@command.command("build")
@click.argument("run")
@config_option
def build(run: str, config: Path | None) -> None:
    """Write the HTML and Markdown reports of RUN (a folder or an id) again from its result."""
    folder = find_run(run, config)
    for path in write_reports(folder, load_result(folder)):
        click.echo(str(path))


@command.command("diff")
@click.argument("run")
@click.argument("other")
@click.option("--json", "as_json", is_flag=True, help="Print the differences as JSON.")
@config_option
def diff_(run: str, other: str, config: Path | None, *, as_json: bool) -> None:
    """Put the effects of two runs side by side; refused when machine or workload differ."""
    first, second = (_load(one, config) for one in (run, other))
    if as_json:
        click.echo(json.dumps(diff.as_dict(first, second), indent=2))
    else:
        diff.render(first, second, out())


def _load(run: str, config: Path | None) -> Result:
    """Return a result, also from a file that is in no run folder, such as one that `--json` wrote."""
    return load_result(Path(run) if Path(run).is_file() else find_run(run, config))
