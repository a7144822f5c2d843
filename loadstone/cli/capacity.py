"""`loadstone capacity`: the most load that keeps an objective."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from loadstone.cli.calls import check_json_path, command_line, console_beside, put_json
from loadstone.cli.crew import crew_options
from loadstone.cli.lines import StepLines
from loadstone.cli.live import LiveWish, live_options, page_of
from loadstone.cli.options import run_options
from loadstone.cli.shared import config_option, err, open_project
from loadstone.config.allowed import named_twice
from loadstone.config.capacity import CapacityWish, compile_capacity
from loadstone.config.crew import CrewWish
from loadstone.errors import ExitCode
from loadstone.lanes.capacity_conductor import CapacityOutcome, conduct_capacity
from loadstone.lanes.capacity_design import CapacityView, SearchTogether
from loadstone.lanes.conductor import Options
from loadstone.record.capacity_result import encode_capacity
from loadstone.record.folder import MARKDOWN, PAGE
from loadstone.report import capacity_reports
from loadstone.telemetry.live import SearchView
from loadstone.verdict.capacity_words import rate

SHOWN = 8
BAR_WIDTH = 24
EPILOG = """\b
Examples:
  loadstone capacity orm=naive orm=prefetch --slo 'p99<200ms, errors<0.1%'
  loadstone capacity orm=prefetch --slo 'p95<100ms' --budget 3m --max-rate 500
  loadstone capacity orm=prefetch --slo 'p95<100ms' --workers 2 --budget 10m
  loadstone capacity cache=off cache=aside --slo 'p99<100ms' --poisson --json - | jq .gains
  loadstone capacity orm=prefetch --slo 'p99<200ms' --processes 1,2,4 --for-rate 400
  loadstone capacity cache=off cache=aside --slo 'p99<100ms' --live
\b
Objectives are thresholds: docs/load.md. What was searched is verified by loadstone verify RUN.
Exit codes: 0 every capacity is known, at least in part; 1 a variant's is lower than the first one's, or
no rate keeps the objective; 2 wrong use; 3 invalid measurement; 4 the budget ended before any search;
130 interrupted (a partial report is kept).
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """The options of one call, by their names on the command line."""

    choices: tuple[str, ...]
    objective: tuple[str, ...]
    budget: str
    repeats: int
    max_rate: float | None
    window: str | None
    poisson: bool
    processes: str | None
    for_rate: float | None
    margin: str
    most_users: int | None
    pinned: bool
    crew: CrewWish
    live: LiveWish
    scenario: str | None
    size: str | None
    held: tuple[str, ...]
    seed: int
    allow_identical: bool
    json_path: str | None
    reports: Path | None
    database_url: str | None
    redis_url: str | None
    allow_host: tuple[str, ...]
    quiet: bool
    config: Path | None

    def wish(self) -> CapacityWish:
        """Return what is asked for."""
        return CapacityWish(
            choices=self.choices,
            held=self.held,
            scenario=self.scenario,
            size=self.size,
            seed=self.seed,
            objective=self.objective,
            poisson=self.poisson,
            window=self.window,
            budget=self.budget,
            repeats=self.repeats,
            max_rate=self.max_rate,
            margin=self.margin,
            processes=self.processes,
            for_rate=self.for_rate,
            most_users=self.most_users,
            pinned=self.pinned,
            crew=self.crew,
            allow_identical=self.allow_identical,
        )


@click.command("capacity", epilog=EPILOG)
@click.argument("choices", nargs=-1)
@click.option("--slo", "objective", multiple=True, help="What must hold, such as 'p99<200ms, errors<0.1%'.")
@click.option("--budget", default="5m", show_default=True, help="Most time to search for.")
@click.option(
    "--repeats",
    type=int,
    default=5,
    show_default=True,
    help="Most searches of each variant, every one on a fresh start.",
)
@click.option("--max-rate", type=float, help="Highest rate to try, in arrivals per second.")
@click.option(
    "--window",
    help="Length of a window, such as 10s; by default long enough to see an overload of 3%.",
)
@click.option("--poisson", is_flag=True, help="Arrivals at random, instead of evenly spaced ones.")
@click.option("--processes", metavar="N,N,…", help="Numbers of server processes to search at, such as 1,2,4.")
@click.option("--for-rate", type=float, help="How many processes does this rate need? (with --processes)")
@click.option(
    "--margin", default="5%", show_default=True, help="Smallest relative change of a capacity that matters."
)
@click.option("--most-users", type=int, help="Most users that the load may grow to.")
@click.option(
    "--pin", "pinned", is_flag=True, help="Keep a core for each generator; the target has the others."
)
@crew_options
@click.option("--scenario", help="Locust file, or the name of one in scenarios/.")
@click.option("--size", help="Dataset size, one of data.sizes.")
@click.option("--with", "held", multiple=True, metavar="TOGGLE=CHOICE", help="Set a toggle on all variants.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of all random draws.")
@click.option("--allow-identical", is_flag=True, help="Search the same variant twice, to see the noise.")
@click.option("--json", "json_path", metavar="FILE", help="Also write the result here; - is standard output.")
@run_options
@live_options
@config_option
def command(**given: Any) -> int:  # noqa: ANN401 - what click passes; Asked gives each its type
    """Find the most load that keeps an objective, for each of CHOICES such as orm=naive orm=prefetch.

    All variants are up, and their windows take turns: the rate grows until the objective
    breaks, and is then narrowed down. Windows that the generator spoilt do not count.
    """
    asked = Asked(**given)
    project = open_project(asked.config)
    experiment = compile_capacity(project, asked.wish())
    check_json_path(asked.json_path)
    options = Options(
        state=project.state,
        reports=asked.reports or project.reports,
        command=command_line(),
        database_url=asked.database_url,
        redis_url=asked.redis_url,
        allowed_hosts=named_twice(project, asked.allow_host),
    )
    with page_of(asked.live) as page, _view(quiet=asked.quiet) as view:
        views: list[CapacityView] = [view]
        if page is not None:
            views.append(SearchView(page, f"capacity of {experiment.title}", ", ".join(asked.objective)))
        outcome = conduct_capacity(experiment, options, SearchTogether(*views))
        if page is not None:
            page.over(str((outcome.folder / PAGE).absolute()))
    return _finish(outcome, asked.json_path)


def _finish(outcome: CapacityOutcome, json_path: str | None) -> int:
    """Print what came of it, and return the exit code."""
    result = outcome.result
    console = console_beside(json_path)
    capacity_reports.render(result, console)
    page = outcome.folder / PAGE
    told = page if page.is_file() else outcome.folder / MARKDOWN
    console.print(f"report: {told}", markup=False, soft_wrap=True)
    put_json(json_path, encode_capacity(result))
    if outcome.error is not None:
        raise outcome.error
    return int(ExitCode.INTERRUPTED) if outcome.interrupted else result.exit_code


@contextmanager
def _view(*, quiet: bool) -> Iterator[CapacityView]:
    console = err()
    if quiet:
        yield _Quiet()
    elif console.is_terminal:
        view = _Live(console)
        with view.live:
            yield view
    else:
        yield _Lines(console)


class _Quiet:
    """Shows nothing."""

    def step(self, text: str, share: float | None = None) -> None:
        """Show nothing."""

    def offering(self, label: str, rate_rps: float, share: float) -> None:
        """Show nothing."""

    def judged(self, label: str, rate_rps: float, trial: str, note: str) -> None:
        """Show nothing."""

    def found(self, label: str, text: str) -> None:
        """Show nothing."""


class _Lines(StepLines):
    """A plain line a step and a window, for logs."""

    def offering(self, label: str, rate_rps: float, share: float) -> None:
        """Say nothing: what came of it is told soon."""

    def judged(self, label: str, rate_rps: float, trial: str, note: str) -> None:
        """Tell what a window showed."""
        self.say(_judged(label, rate_rps, trial, note))

    def found(self, label: str, text: str) -> None:
        """Tell what a search found."""
        self.say(f"{label}: {text}")


class _Live:
    """A bar of the budget with the current rate, the last windows, and what was found."""

    def __init__(self, console: Console) -> None:
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=BAR_WIDTH),
            TextColumn("{task.percentage:>3.0f}% of the budget"),
            TimeElapsedColumn(),
            console=console,
        )
        self._task = self._bar.add_task("starting", total=1.0)
        self._windows: list[str] = []
        self._found: list[str] = []
        self.live = Live(self._draw(), console=console, refresh_per_second=8, transient=True)

    def step(self, text: str, share: float | None = None) -> None:
        """Show what is going on."""
        del share
        self._bar.update(self._task, description=text)
        self._refresh()

    def offering(self, label: str, rate_rps: float, share: float) -> None:
        """Show the current rate, and how much of the budget is spent."""
        self._bar.update(self._task, description=f"{label} at {rate(rate_rps)}/s", completed=share)
        self._refresh()

    def judged(self, label: str, rate_rps: float, trial: str, note: str) -> None:
        """Show a window below those before it."""
        self._windows = [*self._windows, _judged(label, rate_rps, trial, note)][-SHOWN:]
        self._refresh()

    def found(self, label: str, text: str) -> None:
        """Keep what a search found."""
        self._found = [*self._found, f"✓ {label}: {text}"][-SHOWN:]
        self._refresh()

    def _draw(self) -> Group:
        return Group(self._bar, Text("\n".join([*self._found, *self._windows])))

    def _refresh(self) -> None:
        self.live.update(self._draw())


def _judged(label: str, rate_rps: float, trial: str, note: str) -> str:
    return f"{label} at {rate(rate_rps)}/s: {trial}" + (f" ({note})" if note else "")
