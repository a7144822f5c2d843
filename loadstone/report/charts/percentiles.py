"""Latency over percentiles, variants overlaid: the axis stretches towards the slow end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from loadstone.record.result import Distribution
from loadstone.report import quantities
from loadstone.report.charts import svg
from loadstone.report.charts.scale import Scale, log_ticks, spanning

HEIGHT = 280
BEYOND = 20
"""Requests that must be slower than a quantile before it is drawn."""
FARTHEST = 0.9999
STOPS = (0.5, 0.9, 0.95, 0.99, 0.999, 0.9999)
SHAPES = (svg.CIRCLE, svg.DIAMOND, svg.TRIANGLE, svg.SQUARE)
_UNLABELLED = frozenset({0.95})
"""Too close to its neighbours for a label on a phone."""


@dataclass(frozen=True)
class Line:
    """One variant's quantiles, in the order of the variants."""

    place: int
    label: str
    distribution: Distribution


@dataclass(frozen=True)
class Spread:
    """Distributions in one picture, with their table."""

    title: str
    chart: Markup
    lines: list[Line]
    stops: list[float]


def spread(title: str, lines: list[Line]) -> Spread:
    """Return the picture and the table of `lines`."""
    told = f"Latency over percentiles, {title}; the numbers are in the table below"
    return Spread(
        title=title,
        chart=draw(lines, told),
        lines=lines,
        stops=sorted({q for line in lines for q in stops(line.distribution)}),
    )


def supported(distribution: Distribution) -> list[tuple[float, float]]:
    """Return the (q, microseconds) that the count carries: n(1 - q) >= 20 and q <= 0.9999."""
    return [
        (q, value)
        for q, value in distribution.quantiles
        if q <= FARTHEST and round(distribution.count * (1 - q), 6) >= BEYOND and value > 0
    ]


def stops(distribution: Distribution) -> dict[float, float]:
    """Return the quantiles that tables and markers show, as far as the count carries them."""
    told = {round(q, 6): value for q, value in supported(distribution)}
    return {q: told[q] for q in STOPS if q in told}


def missing(distribution: Distribution, q: float) -> str:
    """Say why a quantile is not told: too few requests, or it falls among those that were given up."""
    return "too few" if round(distribution.count * (1 - q), 6) < BEYOND else "given up"


def draw(lines: Sequence[Line], label: str) -> Markup:
    """Return the plot of `lines`, or nothing where no quantile can be shown."""
    curves = [(line, supported(line.distribution)) for line in lines]
    values = [value for _, curve in curves for _, value in curve]
    if not values:
        return Markup("")
    across = Scale(0.0, max(depth(q) for _, curve in curves for q, _ in curve) or 1.0)
    upward = spanning([math.log(value) for value in values], least=math.log(1.5))
    parts = [*_latency_axis(upward), *_quantile_axis(across)]
    for line, curve in curves:
        points = [(across.at(depth(q)), 100 - upward.at(math.log(value))) for q, value in curve]
        parts.append(svg.polyline(points, f"line v{line.place}"))
    for line, _ in curves:
        parts += [_stop(line, q, value, across, upward) for q, value in stops(line.distribution).items()]
    return svg.canvas(*parts, height=HEIGHT, label=label, kind="percentiles")


def depth(q: float) -> float:
    """Return how far into the tail `q` lies: 0 at the fastest, 1 at p90, 2 at p99."""
    return -math.log10(1 - q)


def stop_name(q: float) -> str:
    """Return `p99.9`."""
    return f"p{q * 100:g}"


def _stop(line: Line, q: float, value: float, across: Scale, upward: Scale) -> Markup:
    height = svg.percent(100 - upward.at(math.log(value)))
    title = f"{line.label}: {stop_name(q)} {quantities.microseconds(value)}"
    return svg.marker(across.at(depth(q)), height, SHAPES[line.place % 4], f"stop v{line.place}", title)


def _latency_axis(upward: Scale) -> list[Markup]:
    parts = []
    for tick in log_ticks(math.exp(upward.low), math.exp(upward.high)):
        y = 100 - upward.at(math.log(tick))
        parts.append(svg.horizontal(y, "grid"))
        name = tick_name(tick)
        parts.append(svg.text(-8, svg.percent(y), name, "tick", text_anchor="end", dy="0.35em"))
    return parts


def tick_name(latency_us: float) -> str:
    """Return a round latency without trailing zeros."""
    return quantities.microseconds(latency_us).replace(".00 ", " ").replace(".0 ", " ")


def _quantile_axis(across: Scale) -> list[Markup]:
    parts = []
    for q in STOPS:
        if across.beyond(depth(q)):
            continue
        x = across.at(depth(q))
        parts.append(svg.vertical(x, "0%", "100%", "grid"))
        if q not in _UNLABELLED:
            place = svg.percent(x)
            parts.append(svg.text(place, "100%", stop_name(q), "tick", text_anchor="middle", dy="1.6em"))
    return parts
