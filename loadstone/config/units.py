"""Durations and shares as people write them: `3m`, `90s`, `2%`."""

from __future__ import annotations

import math
import re

from loadstone.errors import ConfigurationError

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
MOST_LETTERS = 100
_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*%")


def parse_duration(text: str) -> float:
    """Return seconds for `90s`, `3m`, `1m30s` or `250ms`; raises `ConfigurationError`."""
    stripped = text.strip().lower()
    if len(stripped) > MOST_LETTERS:
        raise ConfigurationError("a duration is shorter than that", cause=f"got {len(stripped)} letters")
    parts = _DURATION.findall(stripped)
    if not parts or _DURATION.sub("", stripped).strip():
        raise ConfigurationError(f"{text!r} is no duration", remedy="write it like 90s, 3m or 1m30s")
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if not math.isfinite(seconds):
        raise ConfigurationError("a duration must have an end", cause=f"got {len(text)} letters")
    if seconds <= 0:
        raise ConfigurationError("a duration must be longer than zero", cause=f"got {text!r}")
    return seconds


def parse_share(text: str) -> float:
    """Return a fraction in (0, 1) for `2%` or `0.02`; raises `ConfigurationError`."""
    match = _SHARE.fullmatch(text.strip())
    try:
        share = float(match[1]) / 100 if match else float(text)
    except ValueError:
        share = float("nan")
    if not 0 < share < 1:
        raise ConfigurationError(
            f"{text!r} is no share between 0% and 100%", remedy="write it like 2% or 0.02"
        )
    return share


def format_duration(seconds: float) -> str:
    """Return `75 s` or `3 min 20 s`."""
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    if not minutes:
        return f"{whole} s"
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"
