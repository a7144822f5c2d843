"""Response time against rate, and capacity against processes: the knee, and the law."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from loadstone.record.capacity_result import CapacityEstimate, ScalabilityResult, WindowResult
from loadstone.report import quantities
from loadstone.report.charts import svg
from loadstone.report.charts.percentiles import SHAPES, tick_name
from loadstone.report.charts.scale import Scale, linear_ticks, log_ticks, spanning
from loadstone.verdict.capacity_words import rate, with_processes

HEIGHT = 340
OFF_SCALE = 4.0
"""Times the limit: what is slower is drawn at the edge, as it says only how long the window was."""
CROSS = "M-4 -4L4 4M-4 4L4 -4"
FEWEST_TICKS = 3


@dataclass(frozen=True)
class Curve:
    """One variant's windows and its capacity."""

    place: int
    label: str
    windows: Sequence[WindowResult]
    middle: Sequence[tuple[float, float | None]]
    """(rate, response time) of windows that are near each other in rate; None: without end."""
    estimate: CapacityEstimate


def draw(curves: Sequence[Curve], limit_us: float | None, label: str) -> Markup:
    """Return response times against rates, both on log scales; nothing where there is no window."""
    windows = [one for curve in curves for one in curve.windows]
    if not windows:
        return Markup("")
    across = spanning([math.log(one.rate_rps) for one in windows], least=math.log(1.5))
    top_us = _top(windows, limit_us)
    seen = [min(one.latency_us, top_us) for one in windows if one.latency_us]
    upward = spanning([math.log(value) for value in [*seen, top_us]], least=math.log(1.5))
    parts = [*_latency_axis(upward), *_rate_axis(across)]
    for curve in curves:
        parts += _span(curve, across)
    if limit_us:
        parts.append(svg.horizontal(100 - upward.at(math.log(limit_us)), "limit"))
    for curve in curves:
        points = [
            (across.at(math.log(rps)), 100 - upward.at(math.log(min(us or top_us, top_us))))
            for rps, us in curve.middle
        ]
        if len(points) > 1:
            parts.append(svg.polyline(points, f"line v{curve.place}"))
    for curve in curves:
        parts += [_mark(curve, one, top_us, across, upward) for one in curve.windows]
    return svg.canvas(*parts, height=HEIGHT, label=label, kind="rates")


def draw_law(law: ScalabilityResult, place: int, label: str) -> Markup:
    """Return capacity against processes: each search, the fitted law, and its interval."""
    if not law.curve:
        return Markup("")
    values = [rps for _, rps in law.points] + [high for *_, high in law.curve]
    across = Scale(0.0, float(law.curve[-1][0]))
    upward = Scale(0.0, 1.06 * max(values))
    parts: list[Markup] = []
    for tick in linear_ticks(upward.low, upward.high):
        y = 100 - upward.at(tick)
        parts.append(svg.horizontal(y, "grid"))
        parts.append(svg.text(-8, svg.percent(y), rate(tick) or "0", "tick", text_anchor="end", dy="0.35em"))
    ticks = [n for n, *_ in law.curve]
    for n in ticks[:: max(1, len(ticks) // 8)]:
        x = across.at(float(n))
        parts.append(svg.text(svg.percent(x), "100%", str(n), "tick", text_anchor="middle", dy="1.6em"))
    for which, kind in ((1, f"line v{place}"), (2, "line running"), (3, "line running")):
        curve = [(across.at(float(row[0])), 100 - upward.at(float(row[which]))) for row in law.curve]
        parts.append(svg.polyline(curve, kind))
    for n, rps in law.points:
        title = f"{with_processes(n)}: {rate(rps)}/s"
        height = svg.percent(100 - upward.at(rps))
        parts.append(
            svg.marker(across.at(float(n)), height, SHAPES[place % 4], f"window kept v{place}", title)
        )
    return svg.canvas(*parts, height=HEIGHT, label=label, kind="law")


def _top(windows: Sequence[WindowResult], limit_us: float | None) -> float:
    if limit_us:
        return OFF_SCALE * limit_us
    return max([one.latency_us for one in windows if one.latency_us] or [1.0])


def _span(curve: Curve, across: Scale) -> list[Markup]:
    """Return the capacity as a line, with its interval as a band, and the knee as a dotted line."""
    one, parts = curve.estimate, []
    if one.low_rps and one.high_rps:
        left, right = across.at(math.log(one.low_rps)), across.at(math.log(one.high_rps))
        parts.append(
            svg.element(
                "rect",
                x=svg.percent(left),
                width=svg.percent(max(right - left, 0.2)),
                y=0,
                height="100%",
                class_=f"span v{curve.place}",
            )
        )
    if one.knee_rps:
        parts.append(svg.vertical(across.at(math.log(one.knee_rps)), "0%", "100%", f"knee v{curve.place}"))
    if one.rps:
        parts.append(svg.vertical(across.at(math.log(one.rps)), "0%", "100%", f"capacity v{curve.place}"))
    return parts


def _mark(curve: Curve, one: WindowResult, top_us: float, across: Scale, upward: Scale) -> Markup:
    latency = min(one.latency_us or top_us, top_us)
    told = quantities.microseconds(one.latency_us) if one.latency_us else "without end"
    title = f"{curve.label} at {rate(one.rate_rps)}/s: {one.trial}, {told}"
    shape = CROSS if one.trial == "invalid" else SHAPES[curve.place % 4]
    y = svg.percent(100 - upward.at(math.log(latency)))
    kind = f"window {one.trial} v{curve.place}"
    return svg.marker(across.at(math.log(one.rate_rps)), y, shape, kind, title)


def _latency_axis(upward: Scale) -> list[Markup]:
    parts = []
    for tick in log_ticks(math.exp(upward.low), math.exp(upward.high)):
        y = 100 - upward.at(math.log(tick))
        parts.append(svg.horizontal(y, "grid"))
        parts.append(svg.text(-8, svg.percent(y), tick_name(tick), "tick", text_anchor="end", dy="0.35em"))
    return parts


def _rate_axis(across: Scale) -> list[Markup]:
    low, high = math.exp(across.low), math.exp(across.high)
    ticks = log_ticks(low, high)
    if len(ticks) < FEWEST_TICKS:
        ticks = linear_ticks(low, high)
    parts = []
    for tick in ticks:
        x = across.at(math.log(tick))
        parts.append(svg.vertical(x, "0%", "100%", "grid"))
        name = f"{rate(tick)}/s"
        parts.append(svg.text(svg.percent(x), "100%", name, "tick", text_anchor="middle", dy="1.6em"))
    return parts
