"""SVG elements, every text and attribute escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

from loadstone.report import safe

Attribute = str | float | None
Point = tuple[float, float]
PLANE = 1000.0
"""Side of the square in which lines are drawn before they are stretched over the plot."""


def element(tag: str, *children: Markup | str, **attributes: Attribute) -> Markup:
    """Return one element; `class_` and `stroke_width` become `class` and `stroke-width`; None is left out."""
    told = Markup("").join(
        Markup(' {}="{}"').format(name.rstrip("_").replace("_", "-"), _value(value))
        for name, value in attributes.items()
        if value is not None
    )
    content = Markup("").join(
        child if isinstance(child, Markup) else escape(safe.visible(child)) for child in children
    )
    return Markup("<{}{}>{}</{}>").format(Markup(tag), told, content, Markup(tag))  # noqa: S704 - our own tags


def canvas(*children: Markup | str, height: float, label: str = "", kind: str = "") -> Markup:
    """Return an `svg` as wide as its container; without `label` it is decoration, told elsewhere in text."""
    return element(
        "svg",
        *children,
        width="100%",
        height=height,
        class_=f"chart {kind}".strip(),
        role="img" if label else None,
        aria_label=label or None,
        aria_hidden=None if label else "true",
        focusable="false",
    )


def group(children: Iterable[Markup], **attributes: Attribute) -> Markup:
    """Return a `g` of `children`."""
    return element("g", *children, **attributes)


def vertical(x: float, top: Attribute, bottom: Attribute, kind: str) -> Markup:
    """Return a vertical line at `x` percent."""
    return element("line", x1=percent(x), x2=percent(x), y1=top, y2=bottom, class_=kind)


def horizontal(y: float, kind: str) -> Markup:
    """Return a line over the whole width at `y` percent."""
    return element("line", x1="0%", x2="100%", y1=percent(y), y2=percent(y), class_=kind)


def text(x: Attribute, y: Attribute, content: str, kind: str = "", **attributes: Attribute) -> Markup:
    """Return a text at `x`, `y`."""
    return element("text", content, x=x, y=y, class_=kind or None, **attributes)


def marker(x: float, y: Attribute, path: str, kind: str, title: str = "") -> Markup:
    """Return a small shape of fixed size, drawn around `x` percent and `y`."""
    children = [element("path", d=path, class_=kind)]
    if title:
        children.insert(0, element("title", title))
    return element("svg", *children, x=percent(x), y=y, overflow="visible", width=1, height=1)


def polyline(points: Sequence[Point], kind: str) -> Markup:
    """Return a line through `points` (percent of width and height), stretched with the plot."""
    scaled = [(x / 100 * PLANE, y / 100 * PLANE) for x, y in points]
    d = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in scaled)
    line = element("path", d=d, class_=kind, vector_effect="non-scaling-stroke", fill="none")
    return element(
        "svg",
        line,
        width="100%",
        height="100%",
        viewBox=f"0 0 {PLANE:.0f} {PLANE:.0f}",
        preserveAspectRatio="none",
        overflow="visible",
    )


def percent(value: float) -> str:
    """Return a coordinate in percent."""
    return f"{value:.2f}%"


def _value(value: Attribute) -> str:
    return value if isinstance(value, str) else f"{value:g}"


CIRCLE = "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0Z"
DIAMOND = "M0 -6.5L6.5 0L0 6.5L-6.5 0Z"
SQUARE = "M-4 -4H4V4H-4Z"
TRIANGLE = "M0 -5.5L5.5 4.5H-5.5Z"
LEFTWARDS = "M0 0L8 -5V5Z"
RIGHTWARDS = "M0 0L-8 -5V5Z"
