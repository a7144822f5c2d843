"""`loadstone matrix`: several toggles at once, what each does and which to take first."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from loadstone.cli.calls import command_line
from loadstone.cli.options import run_options
from loadstone.cli.progress import progress_view
from loadstone.cli.shared import config_option, err, open_project, out
from loadstone.config.allowed import named_twice
from loadstone.config.matrix import MatrixWish, compile_matrix
from loadstone.lanes.conductor import Options
from loadstone.lanes.matrix import run_matrix
from loadstone.record.matrix_result import MatrixPlan
from loadstone.report import matrix_reports
from loadstone.report.matrix_page import write_matrix_reports
from loadstone.report.matrix_summary import comparisons
from loadstone.report.quantities import duration

EPILOG = """\b
Examples:
  loadstone matrix orm cache pagination
  loadstone matrix orm=naive:prefetch cache=off:aside --budget 4m
  loadstone matrix orm cache pagination indexes --full --size medium --budget 30m
\b
Two to four toggles, each at two choices: NAME=OFF:ON, or NAME alone for the first gain that it claims.
All combinations of two or three are measured; of four half of them, all with --full. Each comparison
holds up to three combinations against the one where every toggle is off, as `loadstone compare` does.
Exit codes: 0 measured, 2 wrong use, 3 a comparison that must not be believed, 130 interrupted.
"""


@click.command("matrix", epilog=EPILOG)
@click.argument("toggles", nargs=-1, required=True)
@click.option("--full", is_flag=True, help="All combinations of four toggles too.")
@click.option("--budget", help="Time to measure for in all, such as 10m; by default compare.budget for each.")
@click.option("--scenario", help="Locust file, or the name of one in scenarios/.")
@click.option("--size", help="Dataset size, one of data.sizes.")
@click.option("--with", "held", multiple=True, metavar="TOGGLE=CHOICE", help="Hold another toggle.")
@click.option("--margin", help="Smallest relative change that matters, such as 2%.")
@click.option("--alpha", help="False-alarm rate of all effects of a metric together, such as 1%.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of all random draws.")
@click.option("--users", type=int, help="Users whose journeys are walked in turn.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@run_options
@config_option
def command(
    toggles: tuple[str, ...],
    full: bool,
    budget: str | None,
    scenario: str | None,
    size: str | None,
    held: tuple[str, ...],
    margin: str | None,
    alpha: str | None,
    seed: int,
    users: int | None,
    as_json: bool,
    reports: Path | None,
    database_url: str | None,
    redis_url: str | None,
    allow_host: tuple[str, ...],
    quiet: bool,
    config: Path | None,
) -> int:
    """Measure combinations of TOGGLES: effects, interactions, and which to do first."""
    project = open_project(config)
    wish = MatrixWish(
        toggles=toggles,
        full=full,
        held=held,
        scenario=scenario,
        size=size,
        budget=budget,
        margin=margin,
        alpha=alpha,
        seed=seed,
        users=users,
    )
    plan, experiments = compile_matrix(project, wish, command_line())
    err().print(told(plan), highlight=False, soft_wrap=True)
    options = Options(
        state=project.state,
        reports=reports or project.reports,
        command=plan.command,
        database_url=database_url,
        redis_url=redis_url,
        allowed_hosts=named_twice(project, allow_host),
    )
    with progress_view(quiet=quiet) as view:
        outcome = run_matrix(plan, experiments, options, view, view.step)
    page, _ = write_matrix_reports(outcome.folder, outcome.result)
    matrix_reports.render(outcome.result, err() if as_json else out(), report=str(page))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(outcome.result), indent=2))
    if outcome.error is not None:
        raise outcome.error
    return outcome.result.exit_code


def told(plan: MatrixPlan) -> str:
    """Say before the start what will be measured, and how long it takes at most."""
    choices = ", ".join(f"{one.name}={one.off}:{one.on}" for one in plan.factors)
    return (
        f"{choices}: {len(plan.cells)} combinations in {comparisons(len(plan.blocks))}, "
        f"{duration(plan.budget_s)} of measuring in all, beside preparing and probing each"
    )
