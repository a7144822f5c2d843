"""`loadstone report`: open, build and compare the reports of runs."""

from __future__ import annotations

import json
import webbrowser
from pathlib import Path

import click

from loadstone.cli.shared import config_option, open_project, out
from loadstone.record.folder import PAGE, latest_run, load_result
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
@click.argument("run", required=False, type=click.Path(path_type=Path, exists=True))
@click.option("--print", "only_print", is_flag=True, help="Print the page's path and open nothing.")
@config_option
def open_(run: Path | None, config: Path | None, *, only_print: bool) -> None:
    """Open the HTML report of RUN (by default the newest) in a browser."""
    folder = _folder(run) if run is not None else latest_run(open_project(config).reports)
    page = folder / PAGE
    if not page.is_file():
        write_reports(folder, load_result(folder))
    click.echo(str(page))
    if not only_print:
        webbrowser.open(page.resolve().as_uri())


@command.command("build")
@click.argument("run", type=click.Path(path_type=Path, exists=True))
def build(run: Path) -> None:
    """Write the HTML and Markdown reports of RUN again from its result."""
    folder = _folder(run)
    for path in write_reports(folder, load_result(folder)):
        click.echo(str(path))


@command.command("diff")
@click.argument("run", type=click.Path(path_type=Path, exists=True))
@click.argument("other", type=click.Path(path_type=Path, exists=True))
@click.option("--json", "as_json", is_flag=True, help="Print the differences as JSON.")
def diff_(run: Path, other: Path, *, as_json: bool) -> None:
    """Put the effects of two runs side by side; refused when machine or workload differ."""
    first, second = load_result(run), load_result(other)
    if as_json:
        click.echo(json.dumps(diff.as_dict(first, second), indent=2))
    else:
        diff.render(first, second, out())


def _folder(run: Path) -> Path:
    return run if run.is_dir() else run.parent
