"""`loadstone bisect`: which commit brought a change, in as few runs as the noise allows."""

from __future__ import annotations

import math
import shlex
from dataclasses import dataclass
from pathlib import Path

import click

from loadstone.cli.progress import progress_view
from loadstone.cli.shared import config_option, err, open_project, out, sources_of
from loadstone.config.bounds import check_metric
from loadstone.config.compile import Wish, compile_experiment
from loadstone.config.load import Project, suggest
from loadstone.errors import ConfigurationError, ExitCode, MeasurementError
from loadstone.gate.sides import commits_between
from loadstone.lanes.conductor import Options, conduct
from loadstone.record.result import Result
from loadstone.report import quantities, safe
from loadstone.stats.bisection import Course, Measured, bisect, most_runs
from loadstone.verdict import exact, metrics
from loadstone.verdict.metrics import split_name

DIGITS = 12
EPILOG = """\b
Examples:
  loadstone bisect v1.4 HEAD
  loadstone bisect v1.4 HEAD --metric 'GET /products: latency_mean' --budget 90s
  loadstone bisect v1.4 HEAD --metric 'GET /products: queries'
\b
BAD is compared with GOOD first: that is the change. Then a commit of the middle is compared with GOOD, and
so on; each belongs to the side whose effect it is nearer to, and is measured again until the other side is
unlikely. The whole search names a wrong commit at most as often as --error says. An exact fact takes one
run a halving, in seconds. Merges are followed by their first parents.
Exit codes: 0 found, 2 wrong use, 3 there is no such change, or something cannot be measured, 4 it
stays between several commits, 130 interrupted.
"""


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for, and with what."""

    project: Project
    good: str
    metric: str
    endpoint: str | None
    scenario: str | None
    budget: str | None
    reports: Path
    quiet: bool

    @property
    def counted(self) -> bool:
        """Whether it is an exact fact."""
        return self.metric in exact.BY_NAME


@click.command("bisect", epilog=EPILOG)
@click.argument("good")
@click.argument("bad")
@click.option(
    "--metric",
    "name",
    default="latency_mean",
    show_default=True,
    help="A metric or exact fact, or one of an endpoint: 'ENDPOINT: METRIC'.",
)
@click.option("--scenario", help="Locust file, or the name of one in scenarios/.")
@click.option("--budget", help="Time to measure each commit for, once.")
@click.option("--error", default=0.05, show_default=True, help="How often a wrong commit may be named.")
@click.option("--reports", type=click.Path(path_type=Path, file_okay=False), help="Folder of runs.")
@click.option("--quiet", "-q", is_flag=True, help="No progress view.")
@config_option
def command(
    good: str,
    bad: str,
    name: str,
    scenario: str | None,
    budget: str | None,
    error: float,
    reports: Path | None,
    quiet: bool,
    config: Path | None,
) -> int:
    """Find the commit between GOOD and BAD that changed a metric."""
    project = open_project(config)
    endpoint, metric = _named(name)
    commits = commits_between(project.root, good, bad)
    search = Search(
        project, good, metric, endpoint, scenario, budget, reports or project.reports, quiet=quiet
    )
    console = err()
    console.quiet = quiet
    console.print(f"{len(commits)} commits; first the whole change", markup=False)
    whole = _measure(search, commits[-1], 0)
    _require_change(whole, search)
    most = 1 + most_runs(len(commits), whole.effect, whole.error, error)
    console.print(f"{_effect(whole.effect, search)}; about {most} runs in all", markup=False)
    seeds = iter(range(1, 10_000))

    def measure(index: int) -> Measured:
        found = _measure(search, commits[index], next(seeds))
        console.print(f"{commits[index][:DIGITS]}: {_effect(found.effect, search)}", markup=False)
        return found

    return _tell(bisect(len(commits), whole.effect, measure, alpha=error), commits, whole, search)


def _named(name: str) -> tuple[str | None, str]:
    endpoint, metric = split_name(name)
    if metric not in exact.BY_NAME:
        if metric not in metrics.BY_NAME:
            known = [*metrics.BY_NAME, *exact.BY_NAME]
            raise ConfigurationError(f"there is no metric {metric!r}", remedy=suggest(metric, known))
        check_metric(name)
    return endpoint, metric


def _measure(search: Search, commit: str, seed: int) -> Measured:
    """Compare a commit with the good one; raises `MeasurementError` where that cannot be believed."""
    wish = Wish(
        before=search.good,
        after=commit[:DIGITS],
        scenario=search.scenario,
        budget=search.budget,
        seed=seed + 1,
        allow_identical=True,
        lane="probe" if search.counted else "pair",
        gating=() if search.counted else tuple(dict.fromkeys((_full(search), "errors"))),
    )
    sources = sources_of(search.project, search.good, commit, quiet=True)
    options = Options(
        state=search.project.state,
        reports=search.reports,
        command=shlex.join(["loadstone", "compare", search.good, commit[:DIGITS], "--seed", str(seed + 1)]),
    )
    with progress_view(quiet=search.quiet) as view:
        outcome = conduct(compile_experiment(search.project, wish, sources), options, view)
    if outcome.interrupted:
        raise KeyboardInterrupt
    if outcome.error is not None:
        raise outcome.error
    return _effect_of(outcome.result, search)


def _full(search: Search) -> str:
    return metrics.name_of(search.metric, search.endpoint)


def _effect_of(result: Result, search: Search) -> Measured:
    if search.counted:
        facts = [
            one
            for one in result.facts
            if one.fact == search.metric and search.endpoint in {None, one.endpoint}
        ]
        if not facts:
            raise MeasurementError(f"{search.metric} could not be counted", remedy="check the scenario")
        return Measured(sum(one.after - one.before for one in facts), 0.0)
    for one in result.contrasts:
        if (one.metric, one.endpoint) == (search.metric, search.endpoint) and one.effect is not None:
            scale = math.log1p if one.effect.kind == "ratio" else float
            error = (one.residual_sd or 0.0) / math.sqrt(max(one.generations, 1))
            return Measured(scale(one.effect.estimate), error)
    raise MeasurementError(
        f"{_full(search)} could not be measured",
        cause="; ".join(result.verdict.reasons) or result.run.stop_reason,
        remedy="give it more time with --budget",
    )


def _require_change(whole: Measured, search: Search) -> None:
    """There must be something to look for: three errors and more away from nothing."""
    if abs(whole.effect) <= 3 * whole.error:
        raise MeasurementError(
            f"BAD does not differ from GOOD in {_full(search)}",
            cause=f"{_effect(whole.effect, search)}, which noise explains",
            remedy="give it more time with --budget, or another metric",
        )


def _effect(effect: float, search: Search) -> str:
    unit = (exact.BY_NAME if search.counted else metrics.BY_NAME)[search.metric].unit
    if search.counted or not metrics.BY_NAME[search.metric].ratio:
        return f"{'+' if effect > 0 else ''}{quantities.quantity(effect, unit)}"
    return quantities.signed_percent(math.expm1(effect), 1)


def _tell(course: Course, commits: list[str], whole: Measured, search: Search) -> int:
    console = out()
    runs = f"{course.runs + 1} runs over {len(commits)} commits"
    if course.settled:
        told = f"{commits[course.bad]} brought {_effect(whole.effect, search)} of {safe.name(_full(search))}"
        console.print(f"{told}: found in {runs}", markup=False, soft_wrap=True)
        return int(ExitCode.OK)
    first = commits[course.good] if course.good >= 0 else search.good
    where = f"after {first[:DIGITS]}, at the latest in {commits[course.bad][:DIGITS]}"
    why = "a commit in the middle lies between both sides, or is too noisy to tell"
    console.print(f"{where}: {why} ({runs})", markup=False, soft_wrap=True)
    return int(ExitCode.INCONCLUSIVE)
