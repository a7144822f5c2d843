"""`loadstone history`: what became of the metrics over many runs, and where they changed."""

from __future__ import annotations

import json
from pathlib import Path

import click

from loadstone.cli.shared import config_option, find_run, open_project, out
from loadstone.config.units import parse_share
from loadstone.errors import ConfigurationError
from loadstone.record.folder import load_result
from loadstone.record.history import STORE, append, read, rows_of
from loadstone.record.result import Result
from loadstone.report import history as report
from loadstone.verdict.history import make_series

EPILOG = """\b
Examples:
  loadstone compare v1.4 HEAD --record
  loadstone history
  loadstone history --metric latency_mean --endpoint 'GET /products'
  loadstone history --store perf/history.jsonl --json
  loadstone history add reports/*/ --store perf/history.jsonl
\b
A store is an SQLite file, or JSON lines where its name ends in .jsonl, fit for a branch of the
repository. Levels are ratios against the base, chained where the base changes, so that another machine
changes nothing. Compare with a base that stays, such as the last release: then changes of a few parts in
a hundred are found by many runs together. Where each run has the run before as its base, every run is a
test of its own.
"""


store_option = click.option(
    "--store", type=click.Path(path_type=Path, dir_okay=False), help=f"By default {STORE} in the reports."
)


@click.group("history", epilog=EPILOG, invoke_without_command=True)
@store_option
@click.option("--metric", "metrics", multiple=True, help="Only this metric or exact fact (repeat).")
@click.option("--endpoint", "endpoints", multiple=True, help="Only this endpoint; '' for all together.")
@click.option("--alpha", default="1%", show_default=True, help="False alarms of each series.")
@click.option("--json", "as_json", is_flag=True, help="Print the series as JSON.")
@config_option
@click.pass_context
def command(
    context: click.Context,
    store: Path | None,
    metrics: tuple[str, ...],
    endpoints: tuple[str, ...],
    alpha: str,
    as_json: bool,
    config: Path | None,
) -> None:
    """Show trends and change points of what was recorded, by metric and endpoint."""
    if context.invoked_subcommand is not None:
        return
    rows = read(_store(store, config))
    series = make_series(rows, metrics=metrics, endpoints=endpoints, alpha=parse_share(alpha))
    if not series:
        raise ConfigurationError("nothing was recorded of that", remedy="leave out --metric or --endpoint")
    if as_json:
        click.echo(json.dumps(report.as_dict(series), indent=2))
    else:
        report.render(series, out())


@command.command("add")
@click.argument("runs", nargs=-1, required=True)
@store_option
@config_option
def add(runs: tuple[str, ...], store: Path | None, config: Path | None) -> None:
    """Add RUNS (folders, ids or result.json) to the history; each is kept once."""
    path = _store(store, config)
    for run in runs:
        given = Path(run)
        result = load_result(given if given.is_file() else find_run(run, config))
        click.echo(f"{result.run.id}: {record(path, result)}")


def record(path: Path, result: Result) -> str:
    """Add a run to a store, and return what was done."""
    rows = rows_of(result)
    if not rows:
        return "not added: it must not be believed, or has nothing to compare"
    return f"{append(path, rows)} of {len(rows)} lines added to {path}"


def _store(store: Path | None, config: Path | None) -> Path:
    return store or open_project(config).reports / STORE
