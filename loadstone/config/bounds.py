"""What may be asked for of a comparison: users, tracks, metrics that decide."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from loadstone.config.load import suggest
from loadstone.errors import ConfigurationError
from loadstone.verdict.metrics import BY_NAME, GATING, split_name

_CHANGE = re.compile(r"([+-]?\d{1,4}(?:\.\d{1,4})?)%")
MOST_USERS = 1000
MOST_IN_FLIGHT = 256
MOST_TRACKS = 2
MOST_GATING = 5
MOST_GATING_ENDPOINTS = 10


def require_users(count: int) -> int:
    """Return a number of users that can be run; raises `ConfigurationError`."""
    if not 1 <= count <= MOST_USERS:
        raise ConfigurationError(f"{count} users cannot be run", remedy=f"choose between 1 and {MOST_USERS}")
    return count


def require_in_flight(count: int) -> int:
    """Return a number of pairs that can be in flight; raises `ConfigurationError`."""
    if not 1 <= count <= MOST_IN_FLIGHT:
        raise ConfigurationError(
            f"{count} pairs cannot be in flight", remedy=f"choose between 1 and {MOST_IN_FLIGHT}"
        )
    return count


def require_tracks(count: int) -> int:
    """Return a number of tracks, 0 for what there is room for; raises `ConfigurationError`."""
    if not 0 <= count <= MOST_TRACKS:
        raise ConfigurationError(
            f"{count} generations cannot be measured at once",
            remedy=f"choose between 1 and {MOST_TRACKS}, or 0 for what the machine has room for",
        )
    return count


def parse_gating(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the metrics that decide, each once; none: those of the table. Raises `ConfigurationError`."""
    chosen = tuple(dict.fromkeys(part.strip() for name in names for part in name.split(",") if part.strip()))
    for name in chosen:
        check_metric(name)
    endpoints = sum(split_name(name)[0] is not None for name in chosen)
    for count, most, what in (
        (len(chosen) - endpoints, MOST_GATING, "metrics"),
        (endpoints, MOST_GATING_ENDPOINTS, "metrics of single endpoints"),
    ):
        if count > most:
            raise ConfigurationError(
                f"{count} {what} cannot decide",
                cause=f"the false-alarm rate is divided among them: {MOST_USERS} at most",
                remedy="name those that matter; all others are told as diagnostics",
            )
    return chosen


def parse_settle(texts: Sequence[str], gating: tuple[str, ...], lane: str) -> dict[str, float]:
    """Return by metric the change that its interval is to leave out, as a fraction of *before*.

    Args:
        texts: each `METRIC=CHANGE`, such as `latency_mean=-3%`.
        gating: metrics that decide; none: those of the table.
        lane: that is asked for.

    Raises:
        ConfigurationError: a text has no such form, its metric does not decide, or the lane times no pairs.
    """
    found: dict[str, float] = {}
    for text in texts:
        name, _, change = (part.strip() for part in text.rpartition("="))
        match = _CHANGE.fullmatch(change)
        if not match or not name or not float(match[1]):
            raise ConfigurationError(
                f"{text!r} is no change of a metric", remedy="write it like latency_mean=-3% or cpu=+5%"
            )
        check_metric(name)
        if name not in (gating or GATING) or not BY_NAME[split_name(name)[1]].ratio:
            raise ConfigurationError(
                f"{name!r} cannot be settled",
                cause="only metrics that decide, and are compared by ratio, have a change to leave out",
                remedy=f"add --gate {shlex.quote(name)}",
            )
        found[name] = float(match[1]) / 100
    if found and lane != "pair":
        raise ConfigurationError(
            f"the {lane} lane settles no changes", remedy="leave out --settle, or use the pair lane"
        )
    return found


def check_metric(name: str) -> None:
    """Raise `ConfigurationError` unless `name` is a metric, or `ENDPOINT: METRIC` where that is measured."""
    endpoint, metric = split_name(name)
    if metric not in BY_NAME:
        raise ConfigurationError(f"there is no metric {metric!r}", remedy=suggest(metric, list(BY_NAME)))
    if endpoint is not None and not BY_NAME[metric].per_endpoint:
        raise ConfigurationError(
            f"{metric!r} cannot be told apart by endpoint", remedy=f"write {metric} without {endpoint}"
        )
