"""From an interval to a verdict, from verdicts to one, and to what fails a build.

Effects and margins share a scale. Ratios are judged as logarithms: a margin of
M = 2% means log(1.02) on *both* sides, so a ratio between 1/1.02 and 1.02. That
makes the verdict the same, with its sign turned, when the variants are swapped.
Differences (errors) are judged as they are, against an absolute margin.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum

from loadstone.errors import ConfigurationError


class Verdict(StrEnum):
    """What a run may say of a metric, or of itself as a whole."""

    IMPROVED = "improved"
    REGRESSED = "regressed"
    EQUIVALENT = "equivalent"
    INCONCLUSIVE = "inconclusive"
    INVALID = "invalid"


class Direction(StrEnum):
    """Which way a metric is better."""

    LOWER = "lower"
    HIGHER = "higher"


class FailOn(StrEnum):
    """How sure a regression must be before it fails a build."""

    ESTIMATE = "estimate"
    """Regressed, and the estimate beyond the margin (the default)."""
    DETECTED = "detected"
    """Stricter: any regression shown to exist, L > 0."""
    CERTAIN = "certain"
    """Laxer: the whole interval beyond the margin, L > M."""


def log_margin(margin: float) -> float:
    """Return the relative margin M >= 0 on the log scale, log(1 + M); it holds on both sides."""
    if not (margin >= 0.0 and math.isfinite(margin)):
        raise ConfigurationError(f"a margin of {margin} means nothing", remedy="give a margin of 0 or more")
    return math.log1p(margin)


def judge(low: float, high: float, margin: float, direction: Direction = Direction.LOWER) -> Verdict:
    """Return the verdict of one contrast.

    Args:
        low: lower end of the effect's interval, after against before (log ratio or difference).
        high: its upper end.
        margin: on the same scale (`log_margin(M)` for ratios), not negative.
        direction: which way the metric is better.

    Equivalent is tested first. An interval that is not finite, or no interval,
    is inconclusive.
    """
    low, high = _worsening(low, high, direction)
    if -margin <= low and high <= margin:
        return Verdict.EQUIVALENT
    if low > 0.0:
        return Verdict.REGRESSED
    if high < 0.0:
        return Verdict.IMPROVED
    return Verdict.INCONCLUSIVE


def detected(low: float, high: float) -> bool:
    """Say whether 0 lies outside [low, high]: a difference exists, whatever its size."""
    return low > 0.0 or high < 0.0


def exceeds_margin(
    estimate: float,
    low: float,
    high: float,
    margin: float,
    *,
    direction: Direction = Direction.LOWER,
    fail_on: FailOn = FailOn.ESTIMATE,
) -> bool:
    """Say whether this contrast is a regression that fails a build under `fail_on`."""
    worse, _ = _worsening(estimate, estimate, direction)
    worse_low, _ = _worsening(low, high, direction)
    if fail_on is FailOn.DETECTED:
        return worse_low > 0.0
    if fail_on is FailOn.CERTAIN:
        return worse_low > margin
    return judge(low, high, margin, direction) is Verdict.REGRESSED and worse > margin


def combine(verdicts: Sequence[Verdict], *, new_failures: bool = False) -> Verdict:
    """Return one verdict over the gating contrasts.

    Any invalid: invalid. Else any regressed: regressed. Else any improved:
    improved, unless `new_failures` says that *after* fails in a way in which
    *before* never did: then inconclusive. Else equivalent if all are, and there
    are any; else inconclusive.
    """
    if Verdict.INVALID in verdicts:
        return Verdict.INVALID
    if Verdict.REGRESSED in verdicts:
        return Verdict.REGRESSED
    if Verdict.IMPROVED in verdicts:
        return Verdict.INCONCLUSIVE if new_failures else Verdict.IMPROVED
    if verdicts and all(verdict is Verdict.EQUIVALENT for verdict in verdicts):
        return Verdict.EQUIVALENT
    return Verdict.INCONCLUSIVE


def _worsening(low: float, high: float, direction: Direction) -> tuple[float, float]:
    """Turn an interval so that positive means worse."""
    return (low, high) if direction is Direction.LOWER else (-high, -low)
