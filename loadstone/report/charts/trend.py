"""A number over runs: one mark a run, with its interval where it has one, in the order of time."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from loadstone.report import quantities
from loadstone.report.charts import svg
from loadstone.report.charts.forest import tick_label
from loadstone.report.charts.scale import (
    Scale,
    change_scale,
    even_change_ticks,
    linear_ticks,
    log_of,
    spanning,
)
from loadstone.report.measures import Measure

HEIGHT = 190
MOST = 60
"""The newest runs are drawn."""
Point = tuple[str, Measure]
"""When the run began, and its number."""


def draw(points: Sequence[Point], label: str) -> Markup:
    """Return the marks of `points`, all of one unit and finite, from the oldest to the newest."""
    drawn = points[-MOST:]
    if not drawn:
        return Markup("")
    relative = drawn[0][1].unit == "change"
    upward = _changes(drawn) if relative else _levels(drawn)
    across = Scale(-0.5, len(drawn) - 0.5)
    parts = _relative_axis(upward, max(one.margin for _, one in drawn)) if relative else _axis(upward, drawn)
    for place, (at, one) in enumerate(drawn):
        parts += _run(across.at(place), at, one, upward)
    return svg.canvas(*parts, height=HEIGHT, label=label, kind="generations")


def _ends(one: Measure) -> tuple[float, float]:
    """Return the ends of the interval; twice the number itself where it has none."""
    return (one.value if one.low is None else one.low), (one.value if one.high is None else one.high)


def _changes(points: Sequence[Point]) -> Scale:
    ends = [end for _, one in points for end in _ends(one)]
    return change_scale(ends, max(one.margin for _, one in points))


def _levels(points: Sequence[Point]) -> Scale:
    """Return a scale from zero: a level is seen as what it is, and a small change as small."""
    top = max(end for _, one in points for end in _ends(one))
    return Scale(0.0, spanning([0.0, top], pad=0.08).high)


def _relative_axis(upward: Scale, margin: float) -> list[Markup]:
    parts = [_band(margin, upward)]
    for tick in even_change_ticks(upward, 5):
        y = 100 - upward.at(log_of(tick))
        parts.append(svg.horizontal(y, "grid"))
        parts.append(svg.text(-8, svg.percent(y), tick_label(tick), "tick", text_anchor="end", dy="0.35em"))
    return [*parts, svg.horizontal(100 - upward.at(0.0), "zero")]


def _axis(upward: Scale, points: Sequence[Point]) -> list[Markup]:
    parts = []
    unit = points[0][1].unit
    for tick in linear_ticks(upward.low, upward.high, 4):
        y = 100 - upward.at(tick)
        text = quantities.quantity(tick, unit if unit in {"us", "share"} else "") if tick else "0"
        parts.append(svg.horizontal(y, "grid"))
        parts.append(svg.text(-8, svg.percent(y), text, "tick", text_anchor="end", dy="0.35em"))
    return parts


def _band(margin: float, upward: Scale) -> Markup:
    top, bottom = (100 - upward.at(log_of(end)) for end in (margin, -margin))
    return svg.element(
        "rect", x="0%", width="100%", y=svg.percent(top), height=svg.percent(bottom - top), class_="band"
    )


def _run(x: float, at: str, one: Measure, upward: Scale) -> list[Markup]:
    kind = one.verdict if one.verdict.isalpha() else "open"
    low, high = (svg.percent(_height(end, one, upward)) for end in _ends(one))
    told = ", ".join(part for part in (one.text, one.interval, one.verdict) if part)
    whisker = svg.element(
        "line", x1=svg.percent(x), x2=svg.percent(x), y1=low, y2=high, class_=f"whisker {kind}"
    )
    middle = svg.percent(_height(one.value, one, upward))
    mark = svg.marker(x, middle, svg.CIRCLE, f"run {kind}", f"{at}: {told}")
    return [mark] if one.low is None or one.high is None else [whisker, mark]


def _height(value: float, one: Measure, upward: Scale) -> float:
    return 100 - upward.at(log_of(value) if one.unit == "change" and math.isfinite(value) else value)
