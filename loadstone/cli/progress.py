"""The live view of a run: what is going on, how far, and what the looks say so far."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from loadstone.cli.shared import err
from loadstone.config.units import format_duration
from loadstone.lanes.design import ASSUMED
from loadstone.lanes.view import Silent, View
from loadstone.record.plan import Plan
from loadstone.record.probed import Probe
from loadstone.record.result import Contrast
from loadstone.report.quantities import significant
from loadstone.stats.repeated import Stopping
from loadstone.verdict.headline import NAMES

WIDTH = 24


@contextmanager
def progress_view(*, quiet: bool) -> Iterator[View]:
    """Yield the view that fits: live on a terminal, a line a step elsewhere, none when quiet."""
    console = err()
    if quiet:
        yield Silent()
    elif console.is_terminal:
        view = LiveView(console)
        with view.live:
            yield view
    else:
        yield LineView(console)


def describe_plan(plan: Plan) -> str:
    """Return the plan in a line, and what it is expected to see in another, as told before measuring."""
    if not {"pair", "load"} & set(plan.lanes):
        return f"{plan.title}: exact facts and payloads only, nothing is timed"
    if plan.stopping is Stopping.ANYTIME:
        return (
            f"{plan.title}: generations of {plan.generation_s:.1f} s until decided or interrupted, a look "
            f"after each from {plan.looks[0]}, at most {format_duration(plan.budget_s)}{_expected(plan)}"
        )
    return (
        f"{plan.title}: up to {plan.max_generations} generations of {plan.generation_s:.1f} s"
        f"{f', {plan.tracks} at a time' if plan.tracks > 1 else ''}, "
        f"first look after {plan.looks[0]}, at most {format_duration(plan.budget_s)}{_expected(plan)}"
    )


def _expected(plan: Plan) -> str:
    """Return what the plan promises; nothing where it was made without knowing any noise."""
    if plan.expected_effect is None or not plan.noise_source:
        return ""
    advice = ": loadstone doctor --noise measures this machine's" if plan.noise_source == ASSUMED else ""
    return (
        f"\nexpects to see a change of {significant(100 * plan.expected_effect, 2)}% of the mean latency "
        f"by then, with 80% power; noise {plan.noise_source}{advice}"
    )


class LineView:
    """One plain line a step, for logs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last = ""
        self._begun = 0
        self._generations = 1

    def planned(self, plan: Plan) -> None:
        """Tell the plan."""
        self._generations = plan.max_generations
        self._say(describe_plan(plan))

    def step(self, text: str, share: float | None = None) -> None:
        """Tell what has begun, once."""
        del share
        told = re.sub(r", \d+ s$", "", text)  # what ticks belongs to the live view
        if told != self._last:
            self._last = told
            self._say(told)

    def probed(self, probe: Probe) -> None:
        """Tell what the probe saw."""
        self._say(describe_probe(probe))

    def measuring(self, generation: int, share: float, pairs: int) -> None:
        """Tell that a generation has begun; the rest is too often for a log."""
        del share, pairs
        if generation >= self._begun:
            self._begun = generation + 1
            self.step(f"generation {generation + 1} of at most {self._generations}")

    def looked(self, generation: int, contrasts: list[Contrast]) -> None:
        """Tell the look."""
        told = "; ".join(_told(contrast) for contrast in contrasts if contrast.effect is not None)
        self._say(f"after {generation} generations: {told}")

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)


class LiveView:
    """A bar, the step, and a table of the effects so far."""

    def __init__(self, console: Console) -> None:
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=WIDTH),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[note]}", markup=False),
            TimeElapsedColumn(),
            console=console,
        )
        self._task: TaskID = self._bar.add_task("starting", total=1.0, note="")
        self._head = ""
        self._looks: RenderableType = ""
        self._generations = 1
        self._shares: dict[int, tuple[float, int]] = {}
        self.live = Live(self._draw(), console=console, refresh_per_second=8, transient=True)

    def planned(self, plan: Plan) -> None:
        """Show the plan above the bar."""
        self._generations = plan.max_generations
        self._head = describe_plan(plan)
        self._refresh()

    def step(self, text: str, share: float | None = None) -> None:
        """Show what is going on."""
        self._bar.update(self._task, description=text, completed=share or 0.0, note="")
        self._refresh()

    def probed(self, probe: Probe) -> None:
        """Show the probe's facts under the plan."""
        self._head += f"\n{describe_probe(probe)}"
        self._refresh()

    def measuring(self, generation: int, share: float, pairs: int) -> None:
        """Move the bar."""
        self._shares[generation] = share, pairs
        last = max(self._shares)
        done = sum(min(1.0, one) for one, _ in self._shares.values()) / self._generations
        note = f"{sum(each for _, each in self._shares.values())} pairs"
        text = f"generation {last + 1} of at most {self._generations}"
        self._bar.update(self._task, description=text, completed=done, note=note)
        self._refresh()

    def looked(self, generation: int, contrasts: list[Contrast]) -> None:
        """Show the effects so far."""
        table = Table(title=f"after {generation} generations", title_justify="left", box=None, pad_edge=False)
        for name in ("metric", "effect", "interval", "so far"):
            table.add_column(name)
        for contrast in contrasts:
            effect = contrast.effect
            if effect is not None:
                interval = f"{effect.low:+z.2%} to {effect.high:+z.2%}"
                verdict = str(contrast.verdict)
                table.add_row(NAMES.get(contrast.metric, ""), f"{effect.estimate:+z.2%}", interval, verdict)
        self._looks = table
        self._refresh()

    def _draw(self) -> RenderableType:
        return Group(Text(self._head), self._bar, self._looks)

    def _refresh(self) -> None:
        self.live.update(self._draw())


def describe_probe(probe: Probe) -> str:
    """Return the probe's most telling line: queries per request and the payload check."""
    lines: dict[str, list[str]] = {}
    for fact in probe.facts:
        queries = fact.queries_first
        lines.setdefault(fact.endpoint, []).append("?" if queries is None else f"{queries:g}")
    told = "; ".join(f"{endpoint} {' → '.join(queries)}" for endpoint, queries in lines.items())
    payload = probe.payload
    return f"queries per request: {told}; payloads equal: {payload.equal} of {payload.checked}"


def _told(contrast: Contrast) -> str:
    effect = contrast.effect
    if effect is None:
        return ""
    name = NAMES.get(contrast.metric, contrast.metric)
    return f"{name} {effect.estimate:+z.2%} [{effect.low:+z.2%}, {effect.high:+z.2%}] {contrast.verdict}"
