"""An effect over runs: one interval a run, in the order of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from loadstone.record.result import Contrast, Effect
from loadstone.report import wording
from loadstone.report.charts import svg
from loadstone.report.charts.forest import tick_label
from loadstone.report.charts.scale import Scale, change_scale, even_change_ticks, log_of

HEIGHT = 190
MOST = 60
"""The newest runs are drawn."""


@dataclass(frozen=True)
class Point:
    """One run's estimate of a relative change."""

    at: str
    contrast: Contrast


def draw(points: Sequence[Point], label: str) -> Markup:
    """Return the intervals of `points`, all of them ratios, from the oldest to the newest."""
    told = [(one, one.contrast.effect) for one in points[-MOST:]]
    drawn = [(one, effect) for one, effect in told if effect is not None]
    if not drawn:
        return Markup("")
    margin = max(one.contrast.margin for one, _ in drawn)
    ends = [end for _, effect in drawn for end in (effect.low, effect.high)]
    upward = change_scale(ends, margin)
    across = Scale(-0.5, len(drawn) - 0.5)
    parts = [_band(margin, upward)]
    for tick in even_change_ticks(upward, 5):
        y = 100 - upward.at(log_of(tick))
        parts.append(svg.horizontal(y, "grid"))
        parts.append(svg.text(-8, svg.percent(y), tick_label(tick), "tick", text_anchor="end", dy="0.35em"))
    parts.append(svg.horizontal(100 - upward.at(0.0), "zero"))
    for place, (one, effect) in enumerate(drawn):
        parts += _run(across.at(place), one, effect, upward)
    return svg.canvas(*parts, height=HEIGHT, label=label, kind="generations")


def _band(margin: float, upward: Scale) -> Markup:
    top, bottom = (100 - upward.at(log_of(end)) for end in (margin, -margin))
    return svg.element(
        "rect", x="0%", width="100%", y=svg.percent(top), height=svg.percent(bottom - top), class_="band"
    )


def _run(x: float, one: Point, effect: Effect, upward: Scale) -> list[Markup]:
    heights = [svg.percent(100 - upward.at(log_of(end))) for end in (effect.low, effect.high)]
    title = (
        f"{one.at}: {wording.estimate(effect, one.contrast.unit)}, "
        f"{wording.interval(effect, one.contrast.unit)}, {one.contrast.verdict or 'not judged'}"
    )
    middle = svg.percent(100 - upward.at(log_of(effect.estimate)))
    return [
        svg.element(
            "line", x1=svg.percent(x), x2=svg.percent(x), y1=heights[0], y2=heights[1],
            class_=f"whisker {one.contrast.verdict or 'open'}",
        ),
        svg.marker(x, middle, svg.CIRCLE, f"run {one.contrast.verdict or 'open'}", title),
    ]  # fmt: skip
