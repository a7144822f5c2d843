"""A matrix drawn: the way from worst to best, and speed against what it holds."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from loadstone.record.matrix_result import MatrixCell
from loadstone.report import quantities, safe
from loadstone.report.charts import svg
from loadstone.report.charts.percentiles import tick_name
from loadstone.report.charts.scale import Scale, linear_ticks, spanning

BAR, STEP = 26, 44
"""Heights in pixels: of a bar, and from one to the next."""
FRONT_HEIGHT = 260


def waterfall(steps: Sequence[tuple[str, float, float]], label: str) -> Markup:
    """Return bars of (name, from, to) in microseconds, each beginning where the last one ended."""
    if not steps:
        return Markup("")
    across = Scale(0.0, 1.04 * max(max(start, end) for _, start, end in steps))
    parts: list[Markup] = []
    height = STEP * len(steps)
    for tick in linear_ticks(0.0, across.high, 5):
        x = across.at(tick)
        parts.append(svg.vertical(x, 0, height, "grid"))
        name = tick_name(tick) if tick else "0"
        parts.append(svg.text(svg.percent(x), height + 16, name, "tick", text_anchor="middle"))
    for place, (name, start, end) in enumerate(steps):
        low, high = sorted((across.at(start), across.at(end)))
        kind = "settled" if start == 0 else "stem improved" if end <= start else "stem regressed"
        title = f"{name}: {quantities.microseconds(end)}"
        parts.append(
            svg.element(
                "rect",
                svg.element("title", title),
                x=svg.percent(low),
                width=svg.percent(max(high - low, 0.3)),
                y=STEP * place + 16,
                height=BAR - 8,
                class_=kind,
            )
        )
        parts.append(svg.text("0%", STEP * place + 11, title, "tick"))
    return svg.canvas(*parts, height=height + 22, label=label, kind="waterfall")


def front(cells: Sequence[MatrixCell], label: str) -> Markup:
    """Return mean latency against what a combination holds beyond the base; the front stands out."""
    known = [one for one in cells if one.extra_bytes is not None or one.latency is None]
    if len(known) < 2:  # noqa: PLR2004 - one point is no picture
        return Markup("")
    across = spanning([float(one.extra_bytes or 0) for one in known], pad=0.08, least=1.0)
    upward = spanning([0.0, *(one.latency_us for one in known)], pad=0.05)
    upward = Scale(0.0, upward.high)
    parts: list[Markup] = []
    for tick in linear_ticks(0.0, upward.high):
        y = 100 - upward.at(tick)
        parts.append(svg.horizontal(y, "grid"))
        name = tick_name(tick) if tick else "0"
        parts.append(svg.text(-8, svg.percent(y), name, "tick", text_anchor="end", dy="0.35em"))
    for tick in linear_ticks(across.low, across.high, 4):
        sign = quantities.MINUS if tick < 0 else "+" if tick else ""
        name = f"{sign}{quantities.size(abs(tick))}"
        x = svg.percent(across.at(tick))
        parts.append(svg.text(x, "100%", name, "tick", text_anchor="middle", dy="1.6em"))
    best = sorted((one for one in known if one.best), key=lambda one: one.extra_bytes or 0)
    corners = [(across.at(float(one.extra_bytes or 0)), 100 - upward.at(one.latency_us)) for one in best]
    if len(corners) > 1:
        parts.append(svg.polyline(corners, "line running"))
    parts += [_mark(one, across, upward) for one in known]
    parts += [_name(one, across, upward) for one in known if one.best or one.latency is None]
    return svg.canvas(*parts, height=FRONT_HEIGHT, label=label, kind="front")


def _name(one: MatrixCell, across: Scale, upward: Scale) -> Markup:
    """Return what is on, beside the mark and towards the middle."""
    x = across.at(float(one.extra_bytes or 0))
    left = x < 50  # noqa: PLR2004 - the middle
    return svg.text(
        svg.percent(x),
        svg.percent(100 - upward.at(one.latency_us)),
        safe.name(" + ".join(one.on) or "everything off", 40),
        "tick",
        text_anchor="start" if left else "end",
        dx=9 if left else -9,
        dy="-0.5em",
    )


def _mark(one: MatrixCell, across: Scale, upward: Scale) -> Markup:
    title = f"{one.label}: {quantities.microseconds(one.latency_us)}"
    kind = "window kept v1" if one.best else "window broken v0"
    y = svg.percent(100 - upward.at(one.latency_us))
    return svg.marker(across.at(float(one.extra_bytes or 0)), y, svg.CIRCLE, kind, title)
