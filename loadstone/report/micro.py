"""Micro-benchmarks on a terminal: a group at a time."""

from __future__ import annotations

from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from loadstone.record.micro import MicroFinding, MicroResult
from loadstone.report import quantities, safe
from loadstone.report.quantities import ARROW
from loadstone.report.wording import VERDICTS
from loadstone.stats.verdicts import Verdict

COLUMNS = ("benchmark", "base → head", "change", "interval", "verdict")


def render(result: MicroResult, console: Console) -> None:
    """Print verdict and findings."""
    sign = VERDICTS[result.verdict]
    title = f"  {safe.name(result.base)} {ARROW} {safe.name(result.head)}"
    word = Text(f"{sign.symbol} {str(result.verdict).upper()}", style=sign.style)
    console.print(word.append(title, style="not bold default"))
    ordered = sorted(result.findings, key=lambda one: one.group)
    for group, findings in groupby(ordered, key=lambda one: one.group):
        table = Table(
            box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim", title_justify="left"
        )
        table.title = safe.name(group) or None
        counted = result.count_tolerance is not None
        for column in (*COLUMNS, *(["instructions"] if counted else [])):
            table.add_column(column, overflow="fold", no_wrap=column not in {"benchmark", "interval"})
        for one in findings:
            cells = [*_cells(one), *([_instructions(one)] if counted else [])]
            table.add_row(*(Text(cell) for cell in cells))
        console.print(table)
    alpha = quantities.share(result.alpha)
    took, margin = quantities.duration(result.took_s), quantities.share(result.margin)
    told = f"{result.generations} generations in {took}, false discoveries at most {alpha}, margin ±{margin}"
    console.print(Text(told, style="dim"))
    if result.count_tolerance is not None:
        within = quantities.share(result.count_tolerance)
        told = f"instructions are counted by callgrind, the same within ±{within}, and decide nothing"
        console.print(Text(told, style="dim"))
    if result.uncounted:
        console.print(
            Text(f"instructions were not counted: {safe.visible(result.uncounted)}"), soft_wrap=True
        )


def _instructions(one: MicroFinding) -> str:
    """Return what was counted, and whether that is at odds with the clock."""
    counted = one.instructions
    if counted is None:
        return "not counted"
    if counted.says == "same":
        return "the same"
    decimals = quantities.percent_decimals(counted.change, counted.change)
    told = f"{quantities.signed_percent(counted.change, decimals)}"
    odd = (one.verdict, counted.says) in {(Verdict.IMPROVED, "more"), (Verdict.REGRESSED, "fewer")}
    return f"{told}, at odds" if odd else told


def _cells(one: MicroFinding) -> list[str]:
    name = safe.name(one.name.rpartition("::")[2], 90)
    effect = one.effect
    if effect is None or one.verdict is None:
        return [name, safe.name(one.why), "", "", ""]
    levels = [quantities.quantity(level, "s") for level in (one.before_s, one.after_s)]
    decimals = quantities.percent_decimals(effect.low, effect.high)
    change, low, high = (
        quantities.signed_percent(value, decimals) for value in (effect.estimate, effect.low, effect.high)
    )
    verdict = f"{VERDICTS[one.verdict].symbol} {one.verdict}"
    return [name, f"{levels[0]} {ARROW} {levels[1]}", change, f"{low} to {high}", verdict]
