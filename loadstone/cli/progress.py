"""The live view of a run: what is going on, how far, and what the looks say so far."""

from __future__ import annotations

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
from loadstone.lanes.follow import Follower
from loadstone.lanes.view import Silent, View
from loadstone.record.going import Going
from loadstone.record.plan import Plan
from loadstone.record.probed import Probe
from loadstone.record.result import Contrast
from loadstone.report import going as words
from loadstone.report import wording
from loadstone.report.quantities import significant
from loadstone.stats.repeated import Stopping

WIDTH = 24
MOST_LOOKS = 6
"""Of each metric, the newest, that a terminal shows."""


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
    kind = "blocks on servers that ran before," if plan.deployed else "generations"
    return (
        f"{plan.title}: up to {plan.max_generations} {kind} of {plan.generation_s:.1f} s"
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
        self._follower = Follower()

    def planned(self, plan: Plan) -> None:
        """Tell the plan."""
        self._follower.planned(plan)
        self._say(describe_plan(plan))

    def step(self, text: str, share: float | None = None) -> None:
        """Tell what has begun, once."""
        if self._follower.step(text, share):
            self._say(self._follower.going.step)

    def probed(self, probe: Probe) -> None:
        """Tell what the probe saw."""
        self._say(describe_probe(probe))

    def measuring(self, generation: int, share: float, pairs: int) -> None:
        """Tell that a generation has begun; the rest is too often for a log."""
        if self._follower.measuring(generation, share, pairs):
            self._say(self._follower.going.step)

    def looked(self, generation: int, contrasts: list[Contrast]) -> None:
        """Tell the look, and how much longer it may take."""
        self._follower.looked(generation, contrasts)
        going = self._follower.going
        told = "; ".join(_told(going, contrast) for contrast in contrasts if contrast.effect is not None)
        self._say(f"after {generation} generations: {told}")
        self._say(words.remaining(going))

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)


class LiveView:
    """A bar, the step, how long it may still take, and the effects look by look."""

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
        self._follower = Follower()
        self._shares: dict[int, tuple[float, int]] = {}
        self.live = Live(self._draw(), console=console, refresh_per_second=8, transient=True)

    def planned(self, plan: Plan) -> None:
        """Show the plan above the bar."""
        self._follower.planned(plan)
        self._shares.clear()
        self._head, self._looks = describe_plan(plan), ""
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
        self._follower.measuring(generation, share, pairs)
        self._shares[generation] = share, pairs
        going = self._follower.going
        done = (going.first + sum(min(1.0, one) for one, _ in self._shares.values())) / max(going.most, 1)
        note = f"{sum(each for _, each in self._shares.values())} pairs"
        self._bar.update(self._task, description=going.step, completed=done, note=note)
        self._refresh()

    def looked(self, generation: int, contrasts: list[Contrast]) -> None:
        """Show the effects so far."""
        self._follower.looked(generation, contrasts)
        self._looks = looks_table(self._follower.going)
        self._refresh()

    def _draw(self) -> RenderableType:
        return Group(Text(self._head), self._bar, Text(words.remaining(self._follower.going)), self._looks)

    def _refresh(self) -> None:
        self.live.update(self._draw())


def looks_table(going: Going) -> Table:
    """Return the newest looks at every metric that decides, and what each said so far."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("metric", "after", "change", "interval", "so far"):
        table.add_column(name, justify="right" if name in {"after", "change"} else "left")
    for contrast in going.contrasts:
        name = words.metric_name(going, contrast)
        if not contrast.available:
            table.add_row(Text(name), "", "", Text(wording.unavailable(contrast), style="dim"), "")
        for line in words.look_lines(contrast)[-MOST_LOOKS:]:
            sign = wording.VERDICTS[line.verdict]
            table.add_row(
                Text(name),
                str(line.generations),
                line.estimate(contrast.unit),
                line.interval(contrast.unit),
                Text(f"{sign.symbol} {line.verdict}", style=sign.style),
            )
            name = ""
    return table


def describe_probe(probe: Probe) -> str:
    """Return the probe's most telling line: queries per request and the payload check."""
    lines: dict[str, list[str]] = {}
    for fact in probe.facts:
        queries = fact.queries_first
        lines.setdefault(fact.endpoint, []).append("?" if queries is None else f"{queries:g}")
    told = "; ".join(f"{endpoint} {' → '.join(queries)}" for endpoint, queries in lines.items())
    payload = probe.payload
    return f"queries per request: {told}; payloads equal: {payload.equal} of {payload.checked}"


def _told(going: Going, contrast: Contrast) -> str:
    effect = contrast.effect
    if effect is None:
        return ""
    name = words.metric_name(going, contrast)
    change, interval = wording.estimate(effect, contrast.unit), wording.interval(effect, contrast.unit)
    return f"{name} {change} ({interval}) {contrast.verdict}"
