"""Numbers as people read them: three significant digits, a unit, no false precision."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime

MINUS = "\N{MINUS SIGN}"
ARROW = "\N{RIGHTWARDS ARROW}"
_KILO = 1000.0
_TEN = 10.0
_PERCENT_FINE = 0.10
"""Shares below this keep a decimal."""
_STEPS = 3.0
"""An interval is at least this many steps of its last digit wide, as far as two decimals go."""


def significant(value: float, digits: int = 3, *, fixed: bool = False) -> str:
    """Return `value` with at most `digits` significant digits (`fixed`: exactly), never in exponent form."""
    if not math.isfinite(value):
        return "unbounded" if math.isinf(value) else "unknown"
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    return (text.rstrip("0").rstrip(".") if "." in text and not fixed else text).replace("-", MINUS)


def quantity(value: float | None, unit: str) -> str:
    """Return `value` in `unit` (us, s, share, bytes, or any other word) as text with its unit."""
    if value is None:
        return "not available"
    return _FORMATS[unit](value) if unit in _FORMATS else f"{significant(value)} {unit}".rstrip()


def microseconds(value: float) -> str:
    """Return a latency: `840 µs`, `59.2 ms` or `1.24 s`."""
    if abs(value) < _KILO:
        return f"{significant(value, fixed=True)} µs"
    if abs(value) < _KILO**2:
        return f"{significant(value / _KILO, fixed=True)} ms"
    return f"{significant(value / _KILO**2, fixed=True)} s"


def size(value: float) -> str:
    """Return bytes: `512 B`, `12.4 kB`, `8.32 GB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(value) < _KILO or unit == "GB":
            break
        value /= _KILO
    return f"{significant(value)} {unit}"


def share(value: float) -> str:
    """Return a fraction as percent."""
    return f"{significant(value * 100)}%"


def bound(at_least: float, at_most: float | None) -> str:
    """Return `at least 30%`, or `at most 1%`."""
    return f"at least {share(at_least)}" if at_most is None else f"at most {share(at_most)}"


def count(value: float | None) -> str:
    """Return a count: whole where it is whole, else with up to two decimals."""
    if value is None:
        return "not available"
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def duration(seconds: float) -> str:
    """Return `41 s` or `2 min 50 s`."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def moment(iso: str) -> str:
    """Return a time stamp as `2026-03-01 10:00:00 UTC`; what is none stays as it is."""
    try:
        at = datetime.fromisoformat(iso)
        return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if at.tzinfo else f"{at:%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError):
        return iso


def minutes(value: float) -> str:
    """Return further minutes, rounded up, as `about 14 more minutes`."""
    whole = max(1, math.ceil(value))
    return f"about {whole:,} more minute{'' if whole == 1 else 's'}"


def percent_decimals(low: float, high: float) -> int:
    """Return how many decimals of a percent tell [low, high] (fractions) apart, and no more."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return 1
    width = (high - low) * 100
    by_width = 0 if width <= 0 else max(0, math.ceil(-math.log10(width / _STEPS)))
    fine = 1 if max(abs(low), abs(high)) < _PERCENT_FINE else 0
    return min(2, max(by_width, fine))


def percent(value: float, decimals: int) -> str:
    """Return |value| (a fraction) as percent without its sign."""
    return f"{abs(value) * 100:,.{decimals}f}%" if math.isfinite(value) else "unbounded"


def signed_percent(value: float, decimals: int) -> str:
    """Return a fraction as percent with its sign; zero has none."""
    text = percent(value, decimals)
    if not any(digit in text for digit in "123456789u"):
        return text
    return f"{MINUS if value < 0 else '+'}{text}"


def factor(ratio: float) -> str:
    """Return `3.1` or `12` of a ratio >= 1."""
    return f"{ratio:.1f}" if ratio < _TEN else f"{ratio:,.0f}"


def _seconds(value: float) -> str:
    return microseconds(value * _KILO**2)


_FORMATS: dict[str, Callable[[float], str]] = {
    "us": microseconds,
    "s": _seconds,
    "share": share,
    "bytes": size,
    "count": count,
}
