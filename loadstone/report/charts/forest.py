"""Effects as intervals: one row each, on a common axis of log ratios written in percent."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from loadstone.record.result import Contrast, Effect
from loadstone.report import quantities
from loadstone.report.charts import svg
from loadstone.report.charts.scale import Scale, change_scale, change_ticks, log_of

ROW, AXIS, LARGE = 36, 24, 64
"""Heights in pixels."""
CAP = 9
"""Ends of an interval stand out beyond the mark of its estimate, however narrow the interval."""


def common_scale(contrasts: Sequence[Contrast]) -> Scale | None:
    """Return the axis that all ratios share, or None where there is none to show."""
    told = [one for one in contrasts if one.effect is not None and one.effect.kind == "ratio"]
    if not told:
        return None
    ends = [end for one in told if one.effect for end in (one.effect.low, one.effect.high)]
    return change_scale(ends, max(one.margin for one in told))


def axis(scale: Scale) -> Markup:
    """Return tick labels, to stand above the rows."""
    return svg.canvas(
        *(
            svg.text(svg.percent(scale.at(log_of(tick))), 16, tick_label(tick), "tick", text_anchor="middle")
            for tick in change_ticks(scale)
        ),
        height=AXIS,
        kind="axis",
    )


def row(contrast: Contrast, scale: Scale | None, relative_margin: float) -> Markup:
    """Return the interval of one contrast; its numbers stand beside it in text.

    Args:
        contrast: what to draw.
        scale: the axis of the ratios.
        relative_margin: M of the ratios; a difference is drawn in units of its own margin, made as wide.
    """
    effect = contrast.effect
    if effect is None:
        return Markup("")
    if effect.kind == "ratio" and scale is not None:
        ticks = [scale.at(log_of(tick)) for tick in change_ticks(scale)]
        return svg.canvas(*_ratio(contrast, effect, scale, ticks, ROW), height=ROW, kind="row")
    shown = scale or change_scale([], contrast.margin)
    half = math.log1p(relative_margin)
    ends = (effect.low, effect.estimate, effect.high)
    in_margins = [end / contrast.margin * half if contrast.margin else end for end in ends]
    return svg.canvas(
        *_frame(shown.at(-half), shown.at(half), shown.at(0), [], ROW),
        *_interval(contrast, shown, (in_margins[0], in_margins[1], in_margins[2]), ROW),
        height=ROW,
        kind="row",
    )


def large(contrast: Contrast) -> Markup:
    """Return one contrast by itself with its own axis, for the top of the page."""
    effect = contrast.effect
    if effect is None or effect.kind != "ratio":
        return Markup("")
    scale = change_scale([effect.low, effect.high], contrast.margin)
    ticks = change_ticks(scale)
    marks = [scale.at(log_of(tick)) for tick in ticks]
    labels = (
        svg.text(svg.percent(place), LARGE - 4, tick_label(tick), "tick", text_anchor="middle")
        for place, tick in zip(marks, ticks, strict=True)
    )
    ends = sorted((scale.at(0.0), scale.at(log_of(effect.estimate))))
    stem = svg.element(
        "rect",
        x=svg.percent(ends[0]),
        width=svg.percent(ends[1] - ends[0]),
        y=(LARGE - 22) / 2 - 7,
        height=14,
        class_=f"stem {contrast.verdict or 'open'}",
    )
    parts = _ratio(contrast, effect, scale, marks, LARGE - 22)
    return svg.canvas(parts[0], stem, *parts[1:], *labels, height=LARGE, kind="large")


def tick_label(change: float) -> str:
    """Return `−50%`, `0`, `+100%`."""
    if change == 0:
        return "0"
    sign = quantities.MINUS if change < 0 else "+"
    return f"{sign}{quantities.significant(abs(change) * 100, 4)}%"


def _ratio(
    contrast: Contrast, effect: Effect, scale: Scale, ticks: Sequence[float], height: float
) -> list[Markup]:
    margin = math.log1p(contrast.margin)
    ends = (log_of(effect.low), log_of(effect.estimate), log_of(effect.high))
    frame = _frame(scale.at(-margin), scale.at(margin), scale.at(0), ticks, height)
    return [*frame, *_interval(contrast, scale, ends, height)]


def _frame(left: float, right: float, zero: float, ticks: Sequence[float], height: float) -> list[Markup]:
    band = svg.element(
        "rect",
        x=svg.percent(left),
        y=0,
        width=svg.percent(max(right - left, 0.2)),
        height=height,
        class_="band",
    )
    grid = [svg.vertical(tick, 0, height, "grid") for tick in ticks]
    return [band, *grid, svg.vertical(zero, 0, height, "zero")]


def _interval(
    contrast: Contrast, scale: Scale, ends: tuple[float, float, float], height: float
) -> list[Markup]:
    low, estimate, high = ends
    middle = height / 2
    kind = f"interval {contrast.verdict or 'open'}{'' if contrast.gating else ' diagnostic'}"
    mark = svg.DIAMOND if contrast.gating else svg.CIRCLE
    parts = [] if scale.beyond(estimate) else [svg.marker(scale.at(estimate), middle, mark, "point")]
    parts.append(
        svg.element(
            "line",
            x1=svg.percent(scale.at(low)),
            x2=svg.percent(scale.at(high)),
            y1=middle,
            y2=middle,
            class_="whisker",
        )
    )
    for end, arrow in ((low, svg.LEFTWARDS), (high, svg.RIGHTWARDS)):
        place = scale.at(end)
        if scale.beyond(end):
            parts.append(svg.marker(place, middle, arrow, "point"))
        else:
            parts.append(svg.vertical(place, middle - CAP, middle + CAP, "whisker cap"))
    return [svg.group(parts, class_=kind)]
