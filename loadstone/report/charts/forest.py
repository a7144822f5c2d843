"""Effects as intervals: one row each, on a common axis of log ratios written in percent."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from loadstone.record.result import Contrast, Effect
from loadstone.report import quantities
from loadstone.report.charts import svg
from loadstone.report.charts.scale import Scale, change_scale, change_ticks, log_of, spanning

ROW, AXIS, LARGE = 36, 24, 64
"""Heights in pixels."""


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


def row(contrast: Contrast, scale: Scale | None) -> Markup:
    """Return the interval of one contrast; its numbers stand beside it in text."""
    effect = contrast.effect
    if effect is None:
        return Markup("")
    if effect.kind == "ratio" and scale is not None:
        ticks = [scale.at(log_of(tick)) for tick in change_ticks(scale)]
        return svg.canvas(*_ratio(contrast, effect, scale, ticks, ROW), height=ROW, kind="row")
    own = difference_scale(contrast, effect)
    return svg.canvas(
        *_frame(own.at(-contrast.margin), own.at(contrast.margin), own.at(0), [], ROW),
        *_interval(contrast, own, (effect.low, effect.estimate, effect.high), ROW),
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
    return svg.canvas(
        *_ratio(contrast, effect, scale, marks, LARGE - 22), *labels, height=LARGE, kind="large"
    )


def difference_scale(contrast: Contrast, effect: Effect) -> Scale:
    """Return a symmetric axis for a difference: three margins, or as far as the interval goes."""
    reach = max(
        3 * contrast.margin, *(abs(end) for end in (effect.low, effect.high) if math.isfinite(end)), 0.0
    )
    return spanning([-reach, reach])


def tick_label(change: float) -> str:
    """Return `−50%`, `0`, `+100%`."""
    if change == 0:
        return "0"
    sign = quantities.MINUS if change < 0 else "+"
    return f"{sign}{quantities.significant(abs(change) * 100)}%"


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
    parts = [
        svg.element(
            "line",
            x1=svg.percent(scale.at(low)),
            x2=svg.percent(scale.at(high)),
            y1=middle,
            y2=middle,
            class_="whisker",
        )
    ]
    for end, arrow in ((low, svg.LEFTWARDS), (high, svg.RIGHTWARDS)):
        place = scale.at(end)
        if scale.beyond(end):
            parts.append(svg.marker(place, middle, arrow, "point"))
        else:
            parts.append(svg.vertical(place, middle - 6, middle + 6, "whisker cap"))
    if not scale.beyond(estimate):
        shape = svg.DIAMOND if contrast.gating else svg.CIRCLE
        parts.append(svg.marker(scale.at(estimate), middle, shape, "point"))
    return [svg.group(parts, class_=kind)]
