"""`loadstone load`: one variant under offered load."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.live import Live
from rich.text import Text

from loadstone.cli.calls import command_line
from loadstone.cli.crew import crew_options
from loadstone.cli.lines import StepLines
from loadstone.cli.live import LiveWish, live_options, page_of
from loadstone.cli.options import run_options
from loadstone.cli.shared import config_option, err, open_project, out
from loadstone.cli.telemetry import metrics_options, watcher_of
from loadstone.config.allowed import named_twice
from loadstone.config.crew import CrewWish
from loadstone.config.offered import LoadWish, compile_load
from loadstone.errors import ExitCode
from loadstone.lanes.conductor import Options
from loadstone.lanes.endings import writing_to
from loadstone.lanes.load import LoadOutcome, run_load
from loadstone.lanes.load_design import LoadTogether, LoadView
from loadstone.record.load_record import LoadPlan
from loadstone.record.observations import Outcome
from loadstone.record.recording import Recording
from loadstone.report import load_reports
from loadstone.report.load_files import write_load_reports
from loadstone.report.load_summary import duration
from loadstone.telemetry.endpoint import Wish
from loadstone.telemetry.live import OfferView
from loadstone.workload.load_protocol import Second

LOG_EVERY_S = 10
EPILOG = """\b
Examples:
  loadstone load orm=prefetch --rate 200 --for 1m
  loadstone load orm=prefetch --rate '50:300/2m' --threshold 'p99<200ms over 10s abort'
  loadstone load --rate 'poisson:100/1m, 100^400@5s/1m' --threshold 'errors<0.1%, rate>=99%'
  loadstone load orm=naive --users 20 --for 2m
  loadstone load orm=prefetch --rate 5000 --for 1m --workers 4
  loadstone load --rate 9000 --for 5m --expect-workers 6 --bind 10.0.0.5 --target-host 10.0.0.5 \\
      --allow-host 10.0.0.5          (and `loadstone worker --master 10.0.0.5` on other hosts)
  loadstone load orm=prefetch --rate 200 --for 5m --live
  loadstone load orm=prefetch --rate 200 --for 5m --web
  loadstone load orm=prefetch --rate 200 --for 5m --metrics 9464 --with instrumentation=prometheus \
      --metrics-targets prometheus/targets/variants-run.json      (docs/observability.md)
\b
Rates and thresholds: docs/load.md.
Exit codes: 0 every threshold kept, 1 one broke, 2 wrong use, 3 invalid measurement,
130 interrupted (a partial report is kept).
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """The options of one call, by their names on the command line."""

    choices: str | None
    rate: str | None
    users: int | None
    spawn_rate: float | None
    duration_: str | None
    warm_up: str | None
    thresholds: tuple[str, ...]
    most_users: int | None
    crew: CrewWish
    tags: tuple[str, ...]
    exclude_tags: tuple[str, ...]
    scenario: str | None
    size: str | None
    held: tuple[str, ...]
    seed: int
    as_json: bool
    reports: Path | None
    database_url: str | None
    redis_url: str | None
    allow_host: tuple[str, ...]
    quiet: bool
    metrics: Wish
    live: LiveWish
    config: Path | None

    def wish(self) -> LoadWish:
        """Return what is asked for."""
        return LoadWish(
            choices=self.choices,
            held=self.held,
            scenario=self.scenario,
            size=self.size,
            seed=self.seed,
            rate=self.rate,
            users=self.users,
            spawn_rate=self.spawn_rate,
            duration=self.duration_,
            warm_up=self.warm_up,
            thresholds=self.thresholds,
            most_users=self.most_users,
            crew=self.crew,
            tags=self.tags,
            exclude_tags=self.exclude_tags,
        )


@click.command("load", epilog=EPILOG)
@click.argument("choices", required=False)
@click.option("--rate", help="Arrivals per second, and how they change: the open model.")
@click.option("--users", type=int, help="Users with think time: the closed model.")
@click.option("--spawn-rate", type=float, help="Users started per second; all at once by default.")
@click.option(
    "--for", "duration_", metavar="DURATION", help="How long, such as 1m; as long as the rate says."
)
@click.option("--warm-up", help="Load that is not measured, before.")
@click.option(
    "--threshold", "thresholds", multiple=True, help="What must hold, such as 'p99<200ms over 10s'."
)
@click.option("--most-users", type=int, help="Most users that the open model may grow to.")
@crew_options
@click.option("--tags", multiple=True, help="Only tasks with this tag (closed model).")
@click.option("--exclude-tags", multiple=True, help="No task with this tag (closed model).")
@click.option("--scenario", help="Locust file, or the name of one in scenarios/.")
@click.option("--size", help="Dataset size, one of data.sizes.")
@click.option("--with", "held", multiple=True, metavar="TOGGLE=CHOICE", help="Set another toggle.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of all random draws.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@run_options
@live_options
@metrics_options
@config_option
def command(**given: Any) -> int:  # noqa: ANN401 - what click passes; Asked gives each its type
    """Offer load to one variant, given by CHOICES such as orm=prefetch, and hold it to thresholds.

    With --rate the plan decides when work starts, whatever the server does, and response
    times count from there. With --users a crowd waits for its answers and thinks.
    """
    asked = Asked(**given)
    project = open_project(asked.config)
    experiment = compile_load(project, asked.wish())
    with (
        watcher_of(asked.metrics, asked.allow_host) as watcher,
        page_of(asked.live) as page,
        _view(quiet=asked.quiet) as view,
    ):
        options = Options(
            state=project.state,
            reports=asked.reports or project.reports,
            command=command_line(),
            database_url=asked.database_url,
            redis_url=asked.redis_url,
            allowed_hosts=named_twice(project, asked.allow_host),
            watcher=watcher,
        )
        outcome = run_load(experiment, options, view if page is None else LoadTogether(view, OfferView(page)))
        report = _write(outcome)
        if page is not None and report is not None:
            page.over(str(report.absolute()))
    return _finish(outcome, report, as_json=asked.as_json)


def _write(outcome: LoadOutcome) -> Path | None:
    """Write the reports and return the page; None where nothing was measured."""
    if outcome.result is None:
        return None
    with writing_to(outcome.folder, outcome.error):
        page, _ = write_load_reports(outcome.folder, outcome.result)
    return page


def _finish(outcome: LoadOutcome, report: Path | None, *, as_json: bool) -> int:
    """Print what came of it, and return the exit code."""
    result = outcome.result
    if result is not None:
        load_reports.render(result, err() if as_json else out())
        (err() if as_json else out()).print(f"report: {report}", markup=False, soft_wrap=True)
        if as_json:
            click.echo(msgspec.json.format(msgspec.json.encode(result), indent=2))
    if outcome.error is not None:
        raise outcome.error
    if result is None:
        err().print("interrupted before anything was measured")
    if outcome.interrupted or result is None:
        return int(ExitCode.INTERRUPTED)
    return result.exit_code


@contextmanager
def _view(*, quiet: bool) -> Iterator[LoadView]:
    console = err()
    if quiet:
        yield _Quiet()
    elif console.is_terminal:
        with Live(console=console, refresh_per_second=4, transient=True) as live:
            yield _Live(live)
    else:
        yield _Lines(console)


def told(second: Second, requests: Recording, planned: float | None) -> str:
    """Return what a second brought, in one line."""
    end = second.elapsed_s
    last = requests.between(end - 1, end)
    failed = sum(last.count(outcomes=(outcome,)) for outcome in Outcome if outcome.failed)
    plan = "" if planned is None else f" of {planned:.0f} planned"
    p50, p99 = (last.quantile(q).value_us for q in (0.5, 0.99))
    times = f"p50 {duration(p50)}, p99 {duration(p99)}" if last.total > failed else "no answer"
    waiting = f", {second.backlog} waiting" if second.backlog else ""
    return f"{end:>4} s: {last.total} requests{plan}, {failed} failed, {times}, {second.users} users{waiting}"


class _Quiet:
    """Shows nothing."""

    def planned(self, plan: LoadPlan) -> None:
        """Show nothing."""

    def step(self, text: str, share: float | None = None) -> None:
        """Show nothing."""

    def second(self, second: Second, requests: Recording, planned: float | None) -> None:
        """Show nothing."""


class _Live:
    """The step, and the last seconds."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._step = ""
        self._seconds: list[str] = []

    def planned(self, plan: LoadPlan) -> None:
        """Show nothing: the first step follows at once."""

    def step(self, text: str, share: float | None = None) -> None:
        """Show what is going on."""
        del share
        self._step, self._seconds = text, []
        self._live.update(Text(text))

    def second(self, second: Second, requests: Recording, planned: float | None) -> None:
        """Show a second below those before it."""
        self._seconds = [*self._seconds, told(second, requests, planned)][-10:]
        self._live.update(Text("\n".join([self._step, *self._seconds])))


class _Lines(StepLines):
    """One line a step, and one every ten seconds, for logs."""

    def planned(self, plan: LoadPlan) -> None:
        """Say nothing: the first step follows at once."""

    def second(self, second: Second, requests: Recording, planned: float | None) -> None:
        """Tell every tenth second."""
        if second.elapsed_s % LOG_EVERY_S == 0:
            self.say(told(second, requests, planned))
