"""The effect in every generation: is it steady, and does the start order show?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate

from markupsafe import Markup

from loadstone.record.result import Contrast, GenerationInfo, Look
from loadstone.report import quantities
from loadstone.report.charts import svg
from loadstone.report.charts.forest import tick_label
from loadstone.report.charts.scale import Scale, even_change_ticks, linear_ticks, log_of, spanning

HEIGHT = 220
NEAR = 2.0
"""Zero is drawn while it lies within this many spreads of the data; further away it would flatten them."""
LOOK_REACH = 1.5
"""Intervals of early looks stretch the scale by at most this many lengths of the rest."""
LOOK_AFTER = 0.22
"""How far right of its last generation a look stands."""
_MANY = 12
SHAPES = (svg.CIRCLE, svg.DIAMOND)
"""Of generations in which the baseline was started first, and of the others."""


def series(generations: Sequence[GenerationInfo], contrast: Contrast) -> list[tuple[GenerationInfo, float]]:
    """Return the generations that measured the contrast, with its effect (log ratio or difference)."""
    told = [(one, _effect(one, contrast)) for one in generations]
    return [(one, value) for one, value in told if value is not None and math.isfinite(value)]


def draw(generations: Sequence[GenerationInfo], contrast: Contrast, label: str) -> Markup:
    """Return the dots of one metric over the generations, with the final estimate and its interval."""
    found = series(generations, contrast)
    if not found:
        return Markup("")
    upward = _scale(contrast, [value for _, value in found])
    across = Scale(0.5, max(one.index for one, _ in found) + 1.5)
    parts = [*_value_axis(upward, ratio=_is_ratio(contrast)), *_bands(contrast, upward)]
    parts += _index_axis([one.index for one, _ in found], across)
    means = accumulate(value for _, value in found)
    running = [
        (across.at(one.index + 1), 100 - upward.at(total / count))
        for count, ((one, _), total) in enumerate(zip(found, means, strict=True), start=1)
    ]
    if len(running) > 1:
        parts.append(svg.polyline(running, "line running"))
    parts += [mark for look in contrast.looks for mark in _look(look, contrast, across, upward)]
    parts += [_dot(one, value, contrast, across, upward) for one, value in found]
    return svg.canvas(*parts, height=HEIGHT, label=label, kind="generations")


def shows_zero(generations: Sequence[GenerationInfo], contrast: Contrast) -> bool:
    """Say whether no change lies on the chart."""
    found = series(generations, contrast)
    return bool(found) and not _scale(contrast, [value for _, value in found]).beyond(0.0)


def baseline_first(generation: GenerationInfo, contrast: Contrast) -> bool:
    """Say whether the baseline was started before the variant."""
    order = generation.start_order
    if contrast.baseline not in order or contrast.variant not in order:
        return True
    return order.index(contrast.baseline) < order.index(contrast.variant)


def value_name(value: float, contrast: Contrast) -> str:
    """Return the effect of one generation in percent, or in percentage points."""
    if _is_ratio(contrast):
        return quantities.signed_percent(math.expm1(value), 1)
    return quantities.signed_percent(value, 2).replace("%", " pp")


def _effect(generation: GenerationInfo, contrast: Contrast) -> float | None:
    """Return one generation's effect from the levels of the two variants, else as recorded for the first."""
    levels = generation.levels.get(contrast.metric, {})
    before, after = levels.get(contrast.baseline), levels.get(contrast.variant)
    if before is None or after is None:
        return generation.effects.get(contrast.metric)
    if not _is_ratio(contrast):
        return after - before
    return math.log(after / before) if before > 0 and after > 0 else None


def _is_ratio(contrast: Contrast) -> bool:
    return contrast.effect is None or contrast.effect.kind == "ratio"


def _on_scale(contrast: Contrast, value: float) -> float:
    return log_of(value) if _is_ratio(contrast) else value


def _scale(contrast: Contrast, values: Sequence[float]) -> Scale:
    margin = _on_scale(contrast, contrast.margin)
    wanted = list(values)
    if contrast.effect is not None:
        wanted += [_on_scale(contrast, end) for end in (contrast.effect.low, contrast.effect.high)]
    looked = [
        _on_scale(contrast, end) for look in contrast.looks for end in (look.effect.low, look.effect.high)
    ]
    reach = max(map(abs, values), default=0.0) + LOOK_REACH * (max(wanted) - min(wanted))
    wanted += [end for end in looked if abs(end) <= reach]
    finite = [value for value in wanted if math.isfinite(value)]
    spread = max(max(finite) - min(finite), margin)
    if min(abs(value) for value in finite) <= NEAR * spread:
        wanted += [-1.3 * margin, 1.3 * margin]
    return spanning(wanted, pad=0.1, least=max(margin, 1e-6))


def _bands(contrast: Contrast, upward: Scale) -> list[Markup]:
    parts = []
    margin = _on_scale(contrast, contrast.margin)
    if upward.at(margin) > upward.at(-margin):
        parts.append(_stripe(-margin, margin, upward, "band"))
    effect = contrast.effect
    if effect is not None:
        low, high, estimate = (_on_scale(contrast, end) for end in (effect.low, effect.high, effect.estimate))
        parts.append(_stripe(low, high, upward, f"settled {contrast.verdict or 'open'}"))
        if math.isfinite(estimate):
            parts.append(svg.horizontal(100 - upward.at(estimate), f"estimate {contrast.verdict or 'open'}"))
    if not upward.beyond(0.0):
        parts.append(svg.horizontal(100 - upward.at(0.0), "zero"))
    return parts


def _stripe(low: float, high: float, upward: Scale, kind: str) -> Markup:
    top, bottom = 100 - upward.at(high), 100 - upward.at(low)
    return svg.element(
        "rect", x="0%", width="100%", y=svg.percent(top), height=svg.percent(bottom - top), class_=kind
    )


def _value_axis(upward: Scale, *, ratio: bool) -> list[Markup]:
    ticks = even_change_ticks(upward, 6) if ratio else linear_ticks(upward.low, upward.high)
    parts = []
    for tick in ticks:
        y = 100 - upward.at(log_of(tick) if ratio else tick)
        name = tick_label(tick) if ratio else tick_label(tick).replace("%", " pp")
        parts.append(svg.horizontal(y, "grid"))
        parts.append(svg.text(-8, svg.percent(y), name, "tick", text_anchor="end", dy="0.35em"))
    return parts


def _index_axis(indices: Sequence[int], across: Scale) -> list[Markup]:
    shown = indices if len(indices) <= _MANY else indices[:: math.ceil(len(indices) / _MANY)]
    return [
        svg.text(
            svg.percent(across.at(index + 1)),
            "100%",
            str(index + 1),
            "tick",
            text_anchor="middle",
            dy="1.6em",
        )
        for index in shown
    ]


def _look(look: Look, contrast: Contrast, across: Scale, upward: Scale) -> list[Markup]:
    """Return the interval at one look, just after its last generation; caps where its ends are in view."""
    x = svg.percent(across.at(look.generations + LOOK_AFTER))
    ends = [_on_scale(contrast, end) for end in (look.effect.low, look.effect.high)]
    heights = [svg.percent(100 - upward.at(end)) for end in ends]
    parts = [svg.element("line", x1=x, x2=x, y1=heights[0], y2=heights[1], class_="look")]
    for end, height in zip(ends, heights, strict=True):
        if not upward.beyond(end):
            cap = svg.element("path", d="M-4 0H4", class_="look")
            parts.append(svg.element("svg", cap, x=x, y=height, overflow="visible", width=1, height=1))
    return parts


def _dot(
    generation: GenerationInfo, value: float, contrast: Contrast, across: Scale, upward: Scale
) -> Markup:
    first = baseline_first(generation, contrast)
    order = " then ".join(generation.start_order)
    title = f"generation {generation.index + 1}: {value_name(value, contrast)}, started {order}"
    return svg.marker(
        across.at(generation.index + 1),
        svg.percent(100 - upward.at(value)),
        SHAPES[0] if first else SHAPES[1],
        f"dot {'first' if first else 'second'}",
        title,
    )
