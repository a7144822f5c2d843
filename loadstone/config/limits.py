"""The hard cap on load: how much and how long, unless `loadstone.toml` says otherwise."""

from __future__ import annotations

from loadstone.config.load import Project
from loadstone.config.units import format_duration, parse_duration
from loadstone.errors import ConfigurationError

REMEDY = "if you mean it, raise load.{key} in loadstone.toml"


def require_within(project: Project, *, rps: float = 0.0, seconds: float = 0.0) -> None:
    """Raise `ConfigurationError` for more arrivals per second, or a longer run, than the project allows."""
    limits = project.raw.load
    if not rps <= limits.most_rate:
        raise ConfigurationError(
            f"{rps:,.0f} arrivals per second are more than is allowed here",
            cause=f"load.most_rate is {limits.most_rate:,.0f}",
            remedy=REMEDY.format(key="most_rate"),
        )
    if not seconds <= parse_duration(limits.most_duration):
        raise ConfigurationError(
            f"{format_duration(seconds)} of load are longer than is allowed here",
            cause=f"load.most_duration is {limits.most_duration}",
            remedy=REMEDY.format(key="most_duration"),
        )
