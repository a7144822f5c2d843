"""`loadstone report`: open, build, compare and export the reports of runs."""

from __future__ import annotations

import json
import webbrowser
from pathlib import Path

import click

from loadstone.cli.shared import config_option, find_run, open_project, out
from loadstone.errors import ConfigurationError
from loadstone.record.capacity_result import CapacityResult, load_capacity
from loadstone.record.folder import (
    CAPACITY_RESULT,
    LOAD_RESULT,
    MATRIX_RESULT,
    PAGE,
    RESULT,
    load_result,
    write_atomically,
)
from loadstone.record.load_result import LoadResult, read_load_result
from loadstone.record.matrix_result import load_matrix
from loadstone.record.result import Result
from loadstone.report import card_diff, diff
from loadstone.report import cards as cards_of
from loadstone.report.capacity_files import write_capacity_reports
from loadstone.report.exports import FORMATS
from loadstone.report.files import write_reports
from loadstone.report.library import INDEX, build_site, find_results
from loadstone.report.load_files import write_load_reports
from loadstone.report.matrix_page import write_matrix_reports

EPILOG = """\b
Examples:
  loadstone report open
  loadstone report build reports/20260101T120000Z-orm-naive-orm-prefetch
  loadstone report diff reports/RUN reports/OTHER_RUN
  loadstone report diff reports/LOAD_RUN reports/OTHER_LOAD_RUN --json
  loadstone report export --as junit --output junit.xml
  loadstone report site --output public
"""
EXPORT_EPILOG = (
    "\b\nFormats:\n"
    + "".join(f"  {name:12} {one.readers}\n" for name, one in FORMATS.items())
    + """
\b
Examples:
  loadstone report export --as junit --output junit.xml
  loadstone report export reports/RUN --as csv > run.csv
  loadstone report export reports/RUN --as openmetrics -o run.om
  promtool tsdb create-blocks-from openmetrics run.om data/
"""
)


@click.group("report", epilog=EPILOG)
def command() -> None:
    """Open, build, compare or export the reports of runs, or make a site of them."""


@command.command("open")
@click.argument("run", required=False)
@click.option("--print", "only_print", is_flag=True, help="Print the page's path and open nothing.")
@config_option
def open_(run: str | None, config: Path | None, *, only_print: bool) -> None:
    """Open the HTML report of RUN (a folder or an id; by default the newest) in a browser."""
    folder = find_run(run, config, (RESULT, CAPACITY_RESULT, LOAD_RESULT, MATRIX_RESULT))
    page = folder / PAGE
    if not page.is_file():
        _write(folder)
    click.echo(str(page))
    if not only_print:
        webbrowser.open(page.resolve().as_uri())


@command.command("build")
@click.argument("run")
@config_option
def build(run: str, config: Path | None) -> None:
    """Write the HTML and Markdown reports of RUN (a folder or an id) again from its result."""
    folder = find_run(run, config)
    for path in _write(folder):
        click.echo(str(path))


@command.command("diff")
@click.argument("run")
@click.argument("other")
@click.option("--json", "as_json", is_flag=True, help="Print the differences as JSON.")
@config_option
def diff_(run: str, other: str, config: Path | None, *, as_json: bool) -> None:
    """Put what two runs found side by side: comparisons, load runs, searches for capacity or matrices.

    Refused where they are of two kinds, or where machine or workload differ.
    """
    places = [_place(one, config) for one in (run, other)]
    cards = [cards_of.read_card(place) for place in places]
    if all(card.kind == "comparison" for card in cards):
        first, second = (load_result(place) for place in places)
        if as_json:
            click.echo(json.dumps(diff.as_dict(first, second), indent=2))
        else:
            diff.render(first, second, out())
    elif as_json:
        click.echo(json.dumps(card_diff.as_dict(*cards), indent=2))
    else:
        card_diff.render(cards[0], cards[1], out())


@command.command("export", epilog=EXPORT_EPILOG)
@click.argument("run", required=False)
@click.option("--as", "name", type=click.Choice(list(FORMATS)), required=True, help="The format.")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    default="-",
    help="The file to write; by default standard output.",
)
@config_option
def export(run: str | None, name: str, output: Path, config: Path | None) -> None:
    """Write RUN (a folder, an id or a result.json; by default the newest) in a format of other tools.

    RUN is a comparison, a load run or a search for capacity.
    """
    text = FORMATS[name].render(_any(run, config))
    if str(output) == "-":
        click.echo(text, nl=False)
        return
    try:
        write_atomically(output, text.encode())
    except OSError as error:
        raise ConfigurationError(
            f"{output} cannot be written", cause=str(error), remedy="name another file with --output"
        ) from error


def _any(run: str | None, config: Path | None) -> Result | LoadResult | CapacityResult:
    """Return the result of a run of any kind that formats are made of."""
    if run is not None and Path(run).is_file() and Path(run).name not in {CAPACITY_RESULT, LOAD_RESULT}:
        return load_result(Path(run))
    folder = find_run(run, config, (RESULT, CAPACITY_RESULT, LOAD_RESULT))
    if (folder / CAPACITY_RESULT).is_file():
        return load_capacity(folder)
    if (folder / LOAD_RESULT).is_file():
        return read_load_result(folder)
    return load_result(folder)


def _write(folder: Path) -> list[Path]:
    """Write the pages of a comparison, of a search for capacity, or of a load run."""
    if (folder / CAPACITY_RESULT).is_file():
        return write_capacity_reports(folder, load_capacity(folder))
    if (folder / MATRIX_RESULT).is_file():
        return write_matrix_reports(folder, load_matrix(folder))
    if (folder / LOAD_RESULT).is_file():
        return write_load_reports(folder, read_load_result(folder))
    return write_reports(folder, load_result(folder))


@command.command("site")
@click.argument("folder", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, file_okay=False),
    default="site",
    show_default=True,
    help="The folder to write the site to.",
)
@config_option
def site(folder: Path | None, output: Path, config: Path | None) -> None:
    """Make a static site of the runs in FOLDER, by default the project's.

    Comparisons, load runs, searches for capacity and matrices: an index to filter,
    trends of experiments that were run again, and any two runs of a kind side by side
    where machine and workload are alike; each run keeps its page.
    """
    shelved, skipped = build_site(find_results(folder or open_project(config).reports), output)
    for one in skipped:
        click.echo(f"left out {one.name}: {one.why}", err=True)
    click.echo(str(output / INDEX))
    click.echo(f"{len(shelved)} runs", err=True)


def _place(run: str, config: Path | None) -> Path:
    """Return a run's folder, or a result file that is in none, such as one that `--json` wrote."""
    return Path(run) if Path(run).is_file() else find_run(run, config)
