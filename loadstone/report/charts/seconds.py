"""A load run over time: what was offered and what came back, and how long it took."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from markupsafe import Markup

from loadstone.record.load_result import SecondLoad
from loadstone.report.charts import svg
from loadstone.report.charts.percentiles import tick_name
from loadstone.report.charts.scale import Scale, linear_ticks, log_ticks, spanning
from loadstone.report.quantities import significant

HEIGHT = 240
HEADROOM = 1.06
Value = Callable[[SecondLoad], float | None]
Event = tuple[float, str]
"""(second, what happened)."""


def draw_rates(
    seconds: Sequence[SecondLoad], events: Iterable[Event], label: str, until_s: float = math.inf
) -> Markup:
    """Return offered, achieved and failed requests per second over time; nothing where there is no time.

    The scale holds what came before `until_s`: all that the drain gives up ends in one second.
    """
    curves: list[tuple[str, Value]] = [
        ("line v0", lambda one: None if one.planned is None else one.planned / one.width_s),
        ("line v1", lambda one: one.requests / one.width_s),
        ("line v2", lambda one: one.errors / one.width_s if any_failed else None),
    ]
    any_failed = any(one.errors for one in seconds)
    planned = [one for one in seconds if one.start_s < until_s]
    values = [value for _, told in curves for one in planned if (value := told(one)) is not None]
    if not values:
        return Markup("")
    upward = Scale(0.0, HEADROOM * (max(values) or 1.0))
    parts = []
    for tick in linear_ticks(upward.low, upward.high):
        parts += _level(100 - upward.at(tick), f"{significant(tick)}/s" if tick else "0")
    return _draw(parts, curves, upward, seconds, events, label)


def draw_times(seconds: Sequence[SecondLoad], events: Iterable[Event], label: str) -> Markup:
    """Return p50 and p99 of the response time over time, on a log axis."""
    curves: list[tuple[str, Value]] = [
        ("line v0", lambda one: _log(one.p50_us)),
        ("line v1", lambda one: _log(one.p99_us)),
    ]
    values = [value for _, told in curves for one in seconds if (value := told(one)) is not None]
    if not values:
        return Markup("")
    upward = spanning(values, least=math.log(1.5))
    parts = []
    for tick in log_ticks(math.exp(upward.low), math.exp(upward.high)):
        parts += _level(100 - upward.at(math.log(tick)), tick_name(tick))
    return _draw(parts, curves, upward, seconds, events, label)


def steps(seconds: Sequence[SecondLoad], told: Value) -> list[list[svg.Point]]:
    """Return runs of (second, value), each stretch flat from start to end; unknown values part them."""
    runs: list[list[svg.Point]] = [[]]
    for one in seconds:
        value = told(one)
        if value is None:
            runs.append([])
        else:
            runs[-1] += [(one.start_s, value), (one.start_s + one.width_s, value)]
    return [run for run in runs if run]


def _draw(
    axis: list[Markup],
    curves: Sequence[tuple[str, Value]],
    upward: Scale,
    seconds: Sequence[SecondLoad],
    events: Iterable[Event],
    label: str,
) -> Markup:
    across = Scale(0.0, float(max(one.start_s + one.width_s for one in seconds)))
    parts = [*axis, *_time_axis(across)]
    for kind, told in curves:
        for run in steps(seconds, told):
            points = [(across.at(x), 100 - upward.at(y)) for x, y in run]
            parts.append(svg.polyline(points, kind))
    parts += [_event(across.at(at), name) for at, name in events]
    return svg.canvas(*parts, height=HEIGHT, label=label, kind="seconds")


def _event(x: float, name: str) -> Markup:
    return svg.group([svg.element("title", name), svg.vertical(x, "0%", "100%", "limit")])


def _level(y: float, name: str) -> list[Markup]:
    told = svg.text(-8, svg.percent(y), name, "tick", text_anchor="end", dy="0.35em")
    return [svg.horizontal(y, "grid"), told]


def _time_axis(across: Scale) -> list[Markup]:
    ticks = linear_ticks(across.low, across.high, 6)
    return [
        svg.text(
            svg.percent(across.at(tick)),
            "100%",
            f"{significant(tick)} s",
            "tick",
            text_anchor="middle",
            dy="1.6em",
        )
        for tick in ticks
    ]


def _log(value: float | None) -> float | None:
    return math.log(value) if value else None
