"""From values to positions in percent, and where the ticks go."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

FARTHEST = math.log(50.0)
"""Ratios beyond 50 are drawn at the edge."""
_CHANGES = (0, 1, 2, 5, 10, 20, 50, 100, 200, 400, 900, 1900, 4900)
_DROPS = (1, 2, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 98)


@dataclass(frozen=True)
class Scale:
    """A linear map from [low, high] to 0..100 percent; callers take logarithms first where they want them."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Return the position of `value`, held to the edges."""
        if math.isnan(value):
            return 50.0
        return 100 * (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)

    def beyond(self, value: float) -> int:
        """Return -1 or 1 where `value` lies outside, else 0."""
        return -1 if value < self.low else 1 if value > self.high else 0


def spanning(values: Iterable[float], *, pad: float = 0.06, least: float = 1e-9) -> Scale:
    """Return a scale that holds every finite value, with `pad` of its length on both sides."""
    finite = [value for value in values if math.isfinite(value)] or [0.0]
    low, high = min(finite), max(finite)
    if high - low < least:
        middle = (high + low) / 2
        low, high = middle - least / 2, middle + least / 2
    extra = (high - low) * pad
    return Scale(low - extra, high + extra)


def change_scale(ratios: Iterable[float], margin: float) -> Scale:
    """Return the log scale of a forest plot: every effect (fractions), zero, and twice the margin."""
    logs = [0.0, math.log1p(2 * margin), -math.log1p(2 * margin)]
    logs += [min(max(log_of(ratio), -FARTHEST), FARTHEST) for ratio in ratios]
    return spanning(logs)


def log_of(change: float) -> float:
    """Return log(1 + change), minus infinity at -100% and below."""
    return math.log1p(change) if change > -1 else -math.inf


def change_ticks(scale: Scale, *, gap: float = 13.0) -> list[float]:
    """Return changes (fractions) for ticks: zero first, then round ones that keep `gap` percent apart."""
    shares = [*(value / 100 for value in _CHANGES), *(-value / 100 for value in _DROPS)]
    inside = [value for value in shares if not scale.beyond(log_of(value))]
    order = sorted(inside, key=lambda value: (value != 0, _roughness(value)))
    kept: list[float] = []
    for value in order:
        place = scale.at(log_of(value))
        if all(abs(place - scale.at(log_of(other))) >= gap for other in kept):
            kept.append(value)
    return sorted(kept) if len(kept) > 1 else even_change_ticks(scale)


def even_change_ticks(scale: Scale, count: int = 5) -> list[float]:
    """Return evenly spaced round changes, for a scale too narrow for the usual ones."""
    return linear_ticks(math.expm1(scale.low), math.expm1(scale.high), count)


def linear_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Return up to about `count` round values in [low, high]."""
    raw = (high - low) / max(1, count)
    if not math.isfinite(raw) or raw <= 0:
        return [low]
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * nice for nice in (1, 2, 2.5, 5, 10) if power * nice >= raw)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def log_ticks(low: float, high: float, most: int = 8) -> list[float]:
    """Return values 1, 2, 5 times powers of ten in [low, high] (both positive), fewer where they crowd."""
    sets: Sequence[tuple[int, ...]] = ((1, 2, 3, 4, 5, 6, 8), (1, 2, 5), (1, 3), (1,))
    found: list[float] = []
    for digits in sets:
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        found = [d * 10.0**p for p in powers for d in digits if low <= d * 10.0**p <= high]
        if len(found) <= most:
            break
    return found


def _roughness(value: float) -> tuple[int, float]:
    """Round halves, doublings and tens come before the rest."""
    rank = {0.5: 0, 1.0: 0, -0.5: 0, -0.1: 1, 0.1: 1, -0.2: 1, 0.2: 1, -0.8: 1, -0.9: 1}
    return rank.get(value, 2), -abs(value)
