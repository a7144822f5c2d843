"""The page of a matrix, and its files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from loadstone.record.folder import MARKDOWN, MATRIX_RESULT, PAGE, write_atomically
from loadstone.record.matrix_result import MatrixEffect, MatrixPlan, MatrixResult
from loadstone.record.result import CheckStatus, Contrast
from loadstone.report import frame, matrix_reports
from loadstone.report import matrix_summary as summary
from loadstone.report.charts import forest
from loadstone.report.charts import matrix as chart
from loadstone.stats.verdicts import Verdict

TITLES = {
    "ranking": "What to do first",
    "effects": "Effects",
    "cells": "Combinations",
    "checks": "Checks",
    "circumstances": "Run and machine",
}
BADGES = {"MEASURED": "equivalent", "INVALID": "invalid"}
"""Colours of the outcome, in those of verdicts."""


@dataclass(frozen=True)
class Drawn:
    """Effects on one metric, with their intervals drawn."""

    title: str
    axis: Markup
    rows: list[tuple[tuple[str, ...], Markup, bool]]
    """(cells, chart, whether it is a factor alone)."""


def write_matrix_reports(folder: Path, result: MatrixResult) -> list[Path]:
    """Write `report.html` and `report.md` into a matrix' folder and return their paths."""
    pages = {PAGE: render(result), MARKDOWN: matrix_reports.markdown(result)}
    for name, text in pages.items():
        write_atomically(folder / name, text.encode())
    return [folder / name for name in pages]


def render(result: MatrixResult) -> str:
    """Return the page of `result`."""
    around = frame.around(
        result,
        "matrix",
        result.plan.title,
        TITLES,
        MATRIX_RESULT,
        ranking=bool(result.steps),
        effects=bool(result.effects),
    )
    return frame.render(
        around,
        result,
        matrix_reports.markdown(result),
        summary=summary,
        word=summary.word(result),
        badge=BADGES.get(summary.word(result), "inconclusive"),
        concerns=[one for one in result.checks if one.status is not CheckStatus.OK],
        waterfall=_waterfall(result),
        front=chart.front(result.cells, "Mean latency against what each combination holds beyond the base"),
        drawn=[_drawn(result, metric, label) for metric, label in summary.LABELS.items()],
    )


def _waterfall(result: MatrixResult) -> Markup:
    base = next((one.latency_us for one in result.cells if one.latency is None), 0.0)
    told, last = [("everything off", 0.0, base)], base
    for one in result.steps:
        told.append((summary.choice(result, one.factor), last, one.latency_us))
        last = one.latency_us
    if not result.steps:
        return Markup("")
    return chart.waterfall(told, "Mean latency from everything off to everything on")


def _drawn(result: MatrixResult, metric: str, label: str) -> Drawn:
    told = [one for one in result.effects if one.metric == metric]
    contrasts = [_contrast(one, result.plan) for one in told]
    scale = forest.common_scale(contrasts)
    return Drawn(
        title=label,
        axis=forest.axis(scale) if scale else Markup(""),
        rows=[
            (summary.effect_row(one), forest.row(contrast, scale, result.plan.margin), len(one.factors) == 1)
            for one, contrast in zip(told, contrasts, strict=True)
        ],
    )


def _contrast(one: MatrixEffect, plan: MatrixPlan) -> Contrast:
    """Return an effect as the charts take it, coloured by where its interval lies."""
    verdict = Verdict.INCONCLUSIVE
    if one.detected:
        verdict = Verdict.IMPROVED if one.effect.high < 0 else Verdict.REGRESSED
    return Contrast(
        metric=one.metric,
        unit="share",
        direction="lower",
        lane="pair",
        endpoint=None,
        gating=len(one.factors) == 1,
        baseline="off",
        variant="on",
        available=True,
        effect=one.effect,
        verdict=verdict,
        margin=plan.margin,
    )
