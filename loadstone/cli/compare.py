"""`loadstone compare`: two variants, side by side, one verdict."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import click

from loadstone.cli.calls import check_json_path, command_line, console_beside, put_json
from loadstone.cli.crew import crew_options
from loadstone.cli.live import LiveWish, live_options, watched
from loadstone.cli.options import run_options
from loadstone.cli.shared import config_option, err, open_project, sources_of
from loadstone.cli.telemetry import metrics_options, watcher_of
from loadstone.config.allowed import named_twice
from loadstone.config.compile import PROFILE_S, PROFILED_FROM_S, Wish, compile_experiment
from loadstone.config.crew import CrewWish
from loadstone.config.deployments import compile_deployments, deployments_of
from loadstone.config.load import Project
from loadstone.config.model import Experiment
from loadstone.config.offered import LoadWish, Offer, compile_offer
from loadstone.errors import ConfigurationError, ExitCode
from loadstone.lanes.conductor import Options, Outcome, conduct
from loadstone.lanes.load_conductor import conduct_load
from loadstone.record.history import STORE, append, rows_of
from loadstone.record.result import encode
from loadstone.report import terminal
from loadstone.stats.verdicts import FailOn, Verdict
from loadstone.target.deployments import described
from loadstone.telemetry.endpoint import Wish as MetricsWish

EPILOG = """\b
Examples:
  loadstone compare orm=naive orm=prefetch
  loadstone compare indexes=none indexes=composite --size medium --budget 3m
  loadstone compare cache=off cache=aside --with orm=naive --users 4
  loadstone compare orm=naive orm=prefetch --live
  loadstone compare orm=prefetch orm=naive --lane probe
  loadstone compare count=exact count=estimated --anytime --margin 1%
  loadstone compare orm=naive orm=prefetch --lane load --rate 30
  loadstone compare orm=naive orm=prefetch --controls --budget 4m
  loadstone compare orm=naive orm=prefetch --budget 45s --profile
  loadstone compare main HEAD
  loadstone compare HEAD . --with orm=prefetch
  loadstone compare http://127.0.0.1:8001 http://127.0.0.1:8002
  loadstone compare orm=naive orm=naive --allow-identical --json - | jq .verdict
\b
Several toggles at once are joined by commas: orm=naive,cache=off.
With --lane probe a single query more per request, on any endpoint, exits with 1;
rows, cache commands and bytes are shown and do not decide.
Exit codes: 0 nothing failed, 1 regressed, 2 wrong use, 3 invalid measurement,
4 inconclusive with --require-verdict, 130 interrupted (a partial report is kept).
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """The options of one call, by their names on the command line."""

    before: str
    after: str
    scenario: str | None
    size: str | None
    lane: str
    rate: str | None
    crew: CrewWish
    most_users: int | None
    budget: str | None
    anytime: bool
    margin: str | None
    alpha: str | None
    seed: int
    users: int | None
    in_flight: int | None
    gating: tuple[str, ...]
    settle: tuple[str, ...]
    tracks: int | None
    pinned: bool | None
    steady: bool | None
    controls: bool
    profile: bool | None
    held: tuple[str, ...]
    generations: int | None
    allow_identical: bool
    fail_on: str
    require_verdict: bool
    json_path: str | None
    record: bool
    reports: Path | None
    database_url: str | None
    redis_url: str | None
    allow_host: tuple[str, ...]
    quiet: bool
    metrics: MetricsWish
    live: LiveWish
    config: Path | None

    def experiment(self, project: Project) -> Experiment:
        """Return what is asked for; raises `ConfigurationError`."""
        wish = Wish(
            before=self.before,
            after=self.after,
            held=self.held,
            scenario=self.scenario,
            size=self.size,
            budget=self.budget,
            margin=self.margin,
            alpha=self.alpha,
            seed=self.seed,
            users=self.users,
            allow_identical=self.allow_identical,
            generations=self.generations or 0,
            in_flight=self.in_flight,
            tracks=self.tracks,
            pinned=self.pinned,
            steady=self.steady,
            gating=self.gating,
            settle=self.settle,
            fail_on=FailOn(self.fail_on),
            lane=self.lane,
            anytime=self.anytime,
            controls=self.controls,
            profile=self.profile,
        )
        deployed = deployments_of(project, self.before, self.after)
        if deployed is not None:
            return described(compile_deployments(project, wish, deployed, self.allow_host))
        sources = sources_of(project, self.before, self.after, quiet=self.quiet)
        return compile_experiment(project, wish, sources)


@click.command("compare", epilog=EPILOG)
@click.argument("before")
@click.argument("after")
@click.option("--scenario", help="Locust file, or the name of one in scenarios/.")
@click.option("--size", help="Dataset size, one of data.sizes.")
@click.option(
    "--budget",
    help="Time to measure for, such as 90s or 3m, beside preparing and probing; stops earlier when decided.",
)
@click.option(
    "--lane",
    type=click.Choice(["pair", "load", "probe"]),
    default="pair",
    show_default=True,
    help="After probing, time pairs of requests, or offer load in alternating blocks; or only probe.",
)
@click.option("--rate", help="Arrivals per second offered to each variant (--lane load).")
@crew_options
@click.option("--most-users", type=int, help="Most users that offered load may grow to (--lane load).")
@click.option(
    "--anytime",
    is_flag=True,
    help="No planned end: look after every generation from the sixth, until decided or interrupted; "
    "--budget is a cap, 30m by default.",
)
@click.option("--margin", help="Smallest relative change that matters, such as 2%.")
@click.option("--alpha", help="False-alarm rate of the whole gate, such as 1%.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of all random draws.")
@click.option("--users", type=int, help="Users whose journeys are walked in turn.")
@click.option("--in-flight", type=int, help="Pairs on the wire at once; 1 measures one request at a time.")
@click.option(
    "--gate",
    "gating",
    multiple=True,
    metavar="METRIC",
    help="Metrics that decide, at most five (repeat, or commas).",
)
@click.option(
    "--settle",
    multiple=True,
    metavar="METRIC=CHANGE",
    help="Go on, within the budget, until the interval of a deciding metric leaves this change out: cpu=-3%.",
)
@click.option(
    "--tracks", type=int, help="Generations measured at once; by default as many as there is room for."
)
@click.option("--pin/--no-pin", "pinned", default=None, help="Keep each track on CPU cores of its own.")
@click.option(
    "--steady/--no-steady", default=None, help="Give all servers of a generation the same hash seed."
)
@click.option(
    "--controls",
    is_flag=True,
    help="Run a copy of BEFORE and one that is slowed down by a known amount beside both: "
    "shows that this run could stay silent and could speak.",
)
@click.option(
    "--profile/--no-profile",
    default=None,
    help="After the last generation, start both again and sample their stacks for a flame graph, "
    f"which takes about {PROFILE_S + 5:.0f}s; by default where the budget is {PROFILED_FROM_S:.0f}s or more.",
)
@click.option("--with", "held", multiple=True, metavar="TOGGLE=CHOICE", help="Hold a toggle on both sides.")
@click.option(
    "--generations",
    type=click.IntRange(6, 100),
    help="Most generations, an even number; planned from the budget by default.",
)
@click.option("--allow-identical", is_flag=True, help="Compare a variant with itself, to see the noise.")
@click.option(
    "--fail-on",
    type=click.Choice([str(one) for one in FailOn]),
    default=str(FailOn.ESTIMATE),
    show_default=True,
    help="How sure a regression must be for exit code 1.",
)
@click.option("--require-verdict", is_flag=True, help="Exit with 4 when the verdict is inconclusive.")
@click.option("--json", "json_path", metavar="FILE", help="Also write the result here; - is standard output.")
@click.option("--record", is_flag=True, help="Add the run to the history in the reports folder.")
@run_options
@live_options
@metrics_options
@config_option
def command(**given: Any) -> int:  # noqa: ANN401 - what click passes; Asked gives each its type
    """Compare BEFORE with AFTER, each a TOGGLE=CHOICE (several with commas), a commit or a deployment.

    A commit is a branch, tag or hash of the project's git repository; `.` is the
    project as it stands. A deployment is the URL of a server that runs already, or
    the name of one below [variants]: nothing of it is started, and what is compared
    is the two servers as they stand.
    Both variants run at the same time, each with a PostgreSQL and a Redis of its
    own; twin users send every request to both, back to back in random order.
    """
    asked = Asked(**given)
    project = open_project(asked.config)
    experiment = asked.experiment(project)
    check_json_path(asked.json_path)
    offer = _offer(project, asked)
    with (
        watcher_of(asked.metrics, asked.allow_host) as watcher,
        watched(asked.live, quiet=asked.quiet) as (view, over),
    ):
        options = Options(
            state=project.state,
            reports=asked.reports or project.reports,
            command=command_line(),
            database_url=None if experiment.deployed else asked.database_url,
            redis_url=None if experiment.deployed else asked.redis_url,
            allowed_hosts=named_twice(project, asked.allow_host),
            watcher=watcher,
        )
        if offer is not None:
            outcome = conduct_load(experiment, offer, options, view)
        else:
            outcome = conduct(experiment, options, view)
        over(str(outcome.page.absolute()))
    if asked.record:
        append(options.reports / STORE, rows_of(outcome.result))
    return finish(outcome, asked.json_path, require_verdict=asked.require_verdict)


def asked_of(words: list[str]) -> Asked:
    """Return what the words behind `loadstone compare` ask for; raises `click.UsageError`."""
    given = command.make_context("compare", list(words)).params
    grouped: dict[str, Any] = {
        "crew": CrewWish(),
        "metrics": MetricsWish(),
        "live": LiveWish(),
    }  # the load lane's, which cannot go on
    own = {field.name: given[field.name] for field in fields(Asked) if field.name not in grouped}
    return Asked(**own, **grouped)


def _offer(project: Project, asked: Asked) -> Offer | None:
    """Return what the load lane offers; None for the other lanes."""
    wish = LoadWish(rate=asked.rate, most_users=asked.most_users, crew=asked.crew)
    if asked.lane == "load":
        if asked.gating:
            raise ConfigurationError(
                "the load lane's gating metrics are fixed", remedy="leave out --gate, or use the pair lane"
            )
        return compile_offer(project, wish)
    if wish != LoadWish():
        raise ConfigurationError("only the load lane offers a rate", remedy="add --lane load")
    if asked.metrics != MetricsWish():
        raise ConfigurationError(
            "the pair lane is never scraped: that would disturb what it times",
            remedy="add --lane load, or load the finished run: loadstone report export --as openmetrics",
        )
    return None


def finish(outcome: Outcome, json_path: str | None, *, require_verdict: bool) -> int:
    """Print the summary, write the JSON, and return the exit code."""
    terminal.render(outcome.result, console_beside(json_path), report=str(outcome.page))
    put_json(json_path, encode(outcome.result))
    if outcome.error is not None:
        raise outcome.error
    if outcome.interrupted:
        if "pair" in outcome.result.experiment.lanes:
            err().print(f"continue it with: loadstone resume {outcome.folder.name}", highlight=False)
        return int(ExitCode.INTERRUPTED)
    if require_verdict and outcome.result.verdict.verdict is Verdict.INCONCLUSIVE:
        return int(ExitCode.INCONCLUSIVE)
    return outcome.result.verdict.exit_code
