"""Panels as SVG: a title, its lines on one pair of axes, and what they are called."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from loadstone.report.charts.scale import Scale, linear_ticks

COLOURS = ("#0072b2", "#b84300", "#00795a", "#8a6d00", "#7b4fa3", "#c2185b", "#455a64", "#5d7f00")
INK, MUTED, GRID, BAD = "#16191d", "#59626d", "#d5d9dd", "#b00020"
WIDTH, HEIGHT, COLUMNS, GAP = 480, 250, 2, 16
PLOT_LEFT, PLOT_TOP, PLOT_WIDTH, PLOT_HEIGHT = 58, 46, 408, 118
MOST_POINTS, MOST_NAMES = 120, 6
SIZES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """A series: its name, and (second, value) where it has one."""

    name: str
    points: tuple[Point, ...]

    @classmethod
    def of(cls, legend: str, labels: Mapping[str, str], points: Sequence[Point]) -> Line:
        """Return a series called as Grafana would."""
        name = re.sub(r"\{\{(\w+)\}\}", lambda match: labels.get(match[1], ""), legend)
        return cls(name, tuple(point for point in points if math.isfinite(point[1])))


@dataclass(frozen=True, slots=True)
class DrawnPanel:
    """What a panel's queries returned.

    Args:
        counts: series of each query, finite or not.
        limit: where good ends.
    """

    title: str
    unit: str
    lines: tuple[Line, ...]
    counts: tuple[int, ...]
    limit: float | None


def draw_board(title: str, panels: Sequence[DrawnPanel], seconds: float) -> str:
    """Return a dashboard as an SVG file; all panels share the time axis of `seconds`."""
    rows = math.ceil(len(panels) / COLUMNS)
    width, height = COLUMNS * WIDTH, rows * HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for number, panel in enumerate(panels):
        row, column = divmod(number, COLUMNS)
        parts.append(f'<g transform="translate({column * WIDTH} {row * HEIGHT})">')
        parts += draw_panel(panel, seconds)
        parts.append("</g>")
    return "\n".join([*parts, "</svg>", ""])


def draw_panel(panel: DrawnPanel, seconds: float) -> list[str]:
    """Return one panel."""
    lines = [line for line in panel.lines if line.points]
    parts = [
        text((GAP, 16 + 14 * number), part, INK, 12, bold=True)
        for number, part in enumerate(textwrap.wrap(panel.title, 68)[:2])
    ]
    if not lines:
        return [*parts, text((PLOT_LEFT, PLOT_TOP + PLOT_HEIGHT / 2), "the query returned nothing", BAD, 12)]
    values = [value for line in lines for _, value in line.points]
    low, high = min(0.0, *values), max(0.0, *values)
    upward = Scale(low, high if high > low else low + 1.0)
    parts += axes(upward, seconds, panel.unit)
    if panel.limit is not None and low <= panel.limit <= high:
        at = PLOT_TOP + PLOT_HEIGHT * (1 - upward.at(panel.limit) / 100)
        parts.append(f'<path d="M{PLOT_LEFT} {at:.1f}h{PLOT_WIDTH}" stroke="{BAD}" stroke-dasharray="4 3"/>')
    for number, line in enumerate(lines):
        parts.append(curve(line.points, upward, seconds, COLOURS[number % len(COLOURS)]))
    return [*parts, *names(lines)]


def axes(upward: Scale, seconds: float, unit: str) -> list[str]:
    """Return grid and ticks."""
    parts = []
    for tick in linear_ticks(upward.low, upward.high, 3):
        at = PLOT_TOP + PLOT_HEIGHT * (1 - upward.at(tick) / 100)
        parts.append(f'<path d="M{PLOT_LEFT} {at:.1f}h{PLOT_WIDTH}" stroke="{GRID}"/>')
        parts.append(text((PLOT_LEFT - 6, at + 4), told(tick, unit), MUTED, 10, anchor="end"))
    for tick in linear_ticks(0.0, seconds, 5):
        at = PLOT_LEFT + PLOT_WIDTH * tick / seconds
        parts.append(text((at, PLOT_TOP + PLOT_HEIGHT + 14), f"{tick:g} s", MUTED, 10, anchor="middle"))
    return parts


def curve(points: Sequence[Point], upward: Scale, seconds: float, colour: str) -> str:
    """Return a line, broken where there was no value for three seconds."""
    stride = max(1, len(points) // MOST_POINTS)
    path, last = [], -math.inf
    for at, value in points[::stride]:
        x, y = PLOT_LEFT + PLOT_WIDTH * at / seconds, PLOT_TOP + PLOT_HEIGHT * (1 - upward.at(value) / 100)
        path.append(f"{'L' if at - last <= 2 + stride else 'M'}{x:.1f} {y:.1f}")
        last = at
    # a value that stands alone is a dot
    return (
        f'<path d="{"".join(path)}" fill="none" stroke="{colour}" stroke-width="1.6" stroke-linecap="round"/>'
    )


def names(lines: Sequence[Line]) -> list[str]:
    """Return the legend: the first few names, and how many more there are."""
    parts = []
    for number, line in enumerate(lines[:MOST_NAMES]):
        row, column = divmod(number, 2)
        x, y = PLOT_LEFT + 206 * column, PLOT_TOP + PLOT_HEIGHT + 32 + 14 * row
        colour = COLOURS[number % len(COLOURS)]
        parts.append(f'<path d="M{x} {y - 4}h12" stroke="{colour}" stroke-width="3"/>')
        parts.append(text((x + 17, y), textwrap.shorten(line.name or "value", 34, placeholder="…"), INK, 10))
    if len(lines) > MOST_NAMES:
        more = f"and {len(lines) - MOST_NAMES} more"
        parts.append(text((PLOT_LEFT, PLOT_TOP + PLOT_HEIGHT + 74), more, MUTED, 10))
    return parts


def told(value: float, unit: str) -> str:
    """Return a tick's value in a panel's unit."""
    if unit == "percentunit":
        return f"{100 * value:.3g}%"
    if unit == "s":
        return f"{value:.3g} s" if abs(value) >= 1 or value == 0 else f"{1000 * value:.3g} ms"
    for size, name in SIZES:
        if abs(value) >= size:
            return f"{value / size:.3g}{name}"
    return f"{value:.3g}"


def text(at: Point, words: str, fill: str, size: int, *, anchor: str = "start", bold: bool = False) -> str:
    """Return one line of text."""
    weight = ' font-weight="600"' if bold else ""
    place = f'x="{at[0]:.1f}" y="{at[1]:.1f}" font-size="{size}" text-anchor="{anchor}"'
    return f'<text {place} fill="{fill}"{weight}>{escape(words)}</text>'
