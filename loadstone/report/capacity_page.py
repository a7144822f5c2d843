"""The page of a search for capacity: self-contained, like that of a comparison."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from loadstone.record.capacity_result import CapacityEstimate, CapacityResult, ScalabilityResult
from loadstone.record.folder import CAPACITY_RESULT
from loadstone.report import capacity_reports, frame, safe
from loadstone.report import capacity_summary as summary
from loadstone.report.charts import capacity as chart
from loadstone.report.charts.percentiles import SHAPES
from loadstone.verdict import capacity_words as words

TITLES = {
    "rates": "Response time against rate",
    "processes": "Processes",
    "windows": "Windows",
    "checks": "Checks",
    "circumstances": "Run and machine",
}
BADGES = {"FOUND": "improved", "BROKEN": "regressed", "INVALID": "invalid"}
"""Colours of the outcome, in those of verdicts."""


@dataclass(frozen=True)
class Plot:
    """One number of processes: all variants in one picture."""

    title: str
    chart: Markup
    legend: list[tuple[int, str, str]]
    """(place, label, capacity)."""
    pictures: list[summary.Picture]


@dataclass(frozen=True)
class LawPlot:
    """One variant over numbers of processes."""

    law: ScalabilityResult
    chart: Markup
    lines: list[str]


def render(result: CapacityResult) -> str:
    """Return the page of `result`."""
    plots = [_plot(result, size) for size in result.plan.sizes]
    laws = [_law(result, one) for one in result.scalability]
    around = frame.around(
        result,
        "capacity",
        f"Capacity: {result.plan.title}",
        TITLES,
        CAPACITY_RESULT,
        rates=any(plot.chart for plot in plots),
        processes=bool(laws),
        windows=bool(result.windows),
        checks=bool(result.checks),
    )
    return frame.render(
        around,
        result,
        capacity_reports.markdown(result),
        plots=plots,
        laws=laws,
        summary=summary,
        words=words,
        word=summary.word(result),
        badge=BADGES.get(summary.word(result), "inconclusive"),
        shapes=SHAPES,
        cross=chart.CROSS,
    )


def _plot(result: CapacityResult, size: int) -> Plot:
    here = [one for one in result.estimates if one.processes == size]
    curves = [_curve(result, one) for one in here]
    name, limit_us = summary.shown(result)
    with_size = f" with {words.with_processes(size)}" if size else ""
    title = f"{name}{with_size}"
    told = f"{safe.name(title)} against rate; the numbers are in the tables below"
    return Plot(
        title=title,
        chart=chart.draw(curves, limit_us, told),
        legend=[(curve.place, curve.label, words.known(curve.estimate)) for curve in curves],
        pictures=[one for one in summary.pictures(result) if one.processes == size],
    )


def _curve(result: CapacityResult, one: CapacityEstimate) -> chart.Curve:
    windows = [
        window
        for window in result.windows
        if (window.variant, window.processes) == (one.variant, one.processes)
    ]
    rows = summary.binned([window for window in windows if window.trial != "invalid"])
    middle = [(row.rate_rps, row.latency_us) for row in rows]
    return chart.Curve(_place(result, one.variant), safe.name(one.label, 60), windows, middle, one)


def _law(result: CapacityResult, law: ScalabilityResult) -> LawPlot:
    label = f"Capacity of {safe.name(law.label)} against processes; the numbers are told beside it"
    drawn = chart.draw_law(law, _place(result, law.variant), label)
    return LawPlot(law, drawn, summary.law_lines(law))


def _place(result: CapacityResult, variant: int) -> int:
    """Return the colour of a variant; one alone is no baseline, and has the first bright one."""
    return variant if len(result.plan.variants) > 1 else 1
