"""A history on a terminal: each series as a line, and its change points below it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from loadstone.report import quantities, safe
from loadstone.report.quantities import ARROW
from loadstone.report.wording import FACT_LABELS, metric_label
from loadstone.stats.changes import ChangePoint
from loadstone.verdict.history import Series

BARS = "▁▂▃▄▅▆▇█"
WIDTH = 60
DIGITS = 12


def render(series: Sequence[Series], console: Console) -> None:
    """Print the series, those with changes first."""
    for one in sorted(series, key=lambda each: not each.changes):
        console.print(Text(_title(one), style="bold" if one.changes else ""), soft_wrap=True)
        console.print(Text(f"  {bars([point.level for point in one.points])}  {_ends(one)}"), soft_wrap=True)
        for change in one.changes:
            console.print(Text(f"  {_change(one, change)}", style="yellow"), soft_wrap=True)
        gaps = [point.row.run for point in one.points[1:] if not point.joined]
        if gaps:
            told = f"  {len(gaps)} runs have a base that nobody measured; the first is {gaps[0]}"
            console.print(Text(safe.name(told, 200), style="dim"), soft_wrap=True)


def as_dict(series: Sequence[Series]) -> list[dict[str, object]]:
    """Return the series for machines."""
    return [
        {
            "experiment": one.experiment,
            "metric": one.metric,
            "endpoint": one.endpoint or None,
            "stepwise": one.stepwise,
            "points": [
                {"run": each.row.run, "head": each.row.head, "level": each.level, "joined": each.joined}
                for each in one.points
            ],
            "changes": [
                {
                    "index": each.index,
                    "run": one.points[each.index].row.run,
                    "head": one.points[each.index].row.head,
                    "change": each.change,
                    "low": each.low,
                    "high": each.high,
                    "p_value": each.p_value,
                }
                for each in one.changes
            ],
        }
        for one in series
    ]


def bars(values: Sequence[float]) -> str:
    """Return the values as a line of bars, the last ones where there are too many."""
    shown = [one for one in values if math.isfinite(one)][-WIDTH:]
    low, high = min(shown, default=0.0), max(shown, default=0.0)
    if high <= low:
        return BARS[0] * len(shown)
    return "".join(BARS[round((one - low) / (high - low) * (len(BARS) - 1))] for one in shown)


def _title(one: Series) -> str:
    label = FACT_LABELS.get(one.metric) or metric_label(one.metric)
    where = f" of {safe.name(one.endpoint)}" if one.endpoint else ""
    return f"{label}{where}  ({safe.name(one.experiment)}, {len(one.points)} runs)"


def _ends(one: Series) -> str:
    first, last = one.points[0].level, one.points[-1].level
    if one.ratio:
        return f"{_percent(math.expm1(last))} of the first base"
    return f"{quantities.quantity(first, one.unit)} {ARROW} {quantities.quantity(last, one.unit)}"


def _change(one: Series, change: ChangePoint) -> str:
    row = one.points[change.index].row
    if one.ratio:
        low, high = _percent(math.expm1(change.low)), _percent(math.expm1(change.high))
        told = f"{_percent(math.expm1(change.change))} [{low}, {high}]"
    else:
        told = f"{'+' if change.change > 0 else ''}{quantities.quantity(change.change, one.unit)}"
    subject = f" {safe.name(row.subject, 80)}" if row.subject else ""
    head = safe.name(row.head[:DIGITS])
    return f"{told} from run {change.index + 1} on: {head}{subject} ({safe.name(row.run)})"


def _percent(value: float) -> str:
    return quantities.signed_percent(value, 1)
