"""What stored rows of real runs say: counts with their intervals, bias, coverage, power."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from loadstone.stats.planning import power_at
from loadstone.stats.special import beta_quantile

Row = dict[str, Any]

CONFIDENCE = 0.95
HEADLINE = ("latency_mean", "cpu")
"""The metrics for which settings must have their power."""
EFFECT = 0.02
"""The change at which power is asked for."""
CERTIFIED = 0.01
INVALID = "invalid"


def upper_bound(alarms: int, runs: int, confidence: float = CONFIDENCE) -> float:
    """Return the exact one-sided upper bound of a rate (Clopper & Pearson 1934)."""
    return 1.0 if alarms >= runs else float(beta_quantile(alarms + 1, runs - alarms, confidence))


def counts(row: Row) -> bool:
    """Say whether a run of identical variants was judged at all: it did not fail, nor call itself invalid."""
    return not row["failed"] and row["verdict"] != INVALID


def metric_rows(rows: Iterable[Row], metric: str) -> list[Row]:
    """Return what the runs say of a metric, where they say anything that may be believed."""
    found = [row["metrics"][metric] for row in rows if not row["failed"] and metric in row["metrics"]]
    return [one for one in found if one["verdict"] != INVALID]


def metric_names(rows: Iterable[Row]) -> list[str]:
    """Return the metrics of the rows: those of the headline first, errors last."""
    order = (*HEADLINE, "latency_p95")
    names = {name for row in rows for name in row["metrics"]}

    def place(name: str) -> tuple[bool, int, str]:
        metric = name.partition(" ")[0]
        return metric == "errors", order.index(metric) if metric in order else len(order), name

    return sorted(names, key=place)


def carry_over(rows: Iterable[Row], metric: str) -> tuple[float, float] | None:
    """Return the correlation of a generation's effect with the next one's, and its standard error.

    Of each run the first autocorrelation about its mean, less what independent
    effects would give: -1 / n of n generations. None of fewer than two runs.
    """
    found = []
    for row in rows:
        effects = np.array(row.get("effects", {}).get(metric, []))
        centred = effects - effects.mean() if effects.size > 2 else np.zeros(0)  # noqa: PLR2004 - pairs of them
        if centred.any():
            found.append(float(centred[1:] @ centred[:-1] / (centred @ centred)) + 1 / effects.size)
    if len(found) < 2:  # noqa: PLR2004 - a spread
        return None
    return float(np.mean(found)), float(np.std(found, ddof=1)) / math.sqrt(len(found))


def power(rows: Sequence[Row], metric: str, effect: float = EFFECT) -> float | None:
    """Return the chance that a run under these settings detects `effect`, as its noise was.

    Of a run with the median residual SD, at its last look (`planning.power_at`).
    None where the runs do not say.
    """
    seen = [row for row in rows if not row["failed"] and metric in row["metrics"]]
    known = [
        row
        for row in seen
        if row["metrics"][metric]["residual_sd"] is not None and row["design"]["nominal_p"] is not None
    ]
    if not known:
        return None
    sd = median(row["metrics"][metric]["residual_sd"] for row in known)
    generations = int(median(row["design"]["generations"] for row in known))
    nominal_p = median(row["design"]["nominal_p"] for row in known)
    return power_at(math.log1p(effect), sd, generations, nominal_p)


def least_power(rows: Sequence[Row]) -> float:
    """Return the smaller power of the headline's metrics; 0 where one is not known."""
    return min(power(rows, metric) or 0.0 for metric in HEADLINE)


def certified_at(one: Row, margin: float = CERTIFIED) -> float | None:
    """Return when a metric's interval first lay within +-margin (on both sides of a ratio), or None."""
    for look in one["looks"]:
        if within(look["low"], look["high"], margin):
            return float(look["at_s"]) if look["at_s"] is not None else math.inf
    return 0.0 if not one["looks"] and within(one["low"], one["high"], margin) else None


def within(low: float, high: float, margin: float) -> bool:
    """Say whether ratios less one lie between 1/(1 + margin) and 1 + margin."""
    return low >= 1.0 / (1.0 + margin) - 1.0 and high <= margin


def called_at(one: Row) -> float | None:
    """Return when a detected metric's interval first excluded zero; None where it did not."""
    if not one["detected"]:
        return None
    times = [look["at_s"] for look in one["looks"] if not look["low"] <= 0.0 <= look["high"] and look["at_s"]]
    return float(times[0]) if times else math.nan


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How well the runs of one cell did on one metric, against the truth of each."""

    runs: int
    called: int
    wrong_way: int
    """Called, with the wrong sign."""
    truth: float
    """Mean, as ratio less one."""
    bias: float
    """Mean of log estimate - log truth."""
    bias_se: float
    covered: int
    """Runs whose interval holds the truth."""
    known: int
    """Runs whose truth is known: those that bias and coverage are of."""
    call_s: float
    """Median time to the call; NaN where none was called."""
    residual_sd: float
    level: float
    """The intervals' confidence level."""


def accuracy(rows: Sequence[Row], metric: str) -> Accuracy | None:
    """Return how the runs did on `metric`; None where none of them judged it."""
    judged = [row for row in rows if metric_rows([row], metric)]
    if not judged:
        return None
    seen = [row["metrics"][metric] for row in judged]
    pairs = [
        (row["metrics"][metric], row["truth"][metric])
        for row in judged
        if row["truth"] and metric in row["truth"]
    ]
    errors = np.array([math.log1p(one["estimate"]) - math.log1p(truth) for one, truth in pairs])
    times = [at for one in seen if (at := called_at(one)) is not None and math.isfinite(at)]
    return Accuracy(
        runs=len(seen),
        called=sum(one["detected"] for one in seen),
        wrong_way=sum(one["detected"] and one["estimate"] * truth < 0.0 for one, truth in pairs),
        truth=float(np.mean([truth for _, truth in pairs])) if pairs else math.nan,
        bias=float(errors.mean()) if pairs else math.nan,
        bias_se=float(errors.std(ddof=1)) / math.sqrt(len(pairs)) if len(pairs) > 1 else math.nan,
        covered=sum(one["low"] <= truth <= one["high"] for one, truth in pairs),
        known=len(pairs),
        call_s=median(times) if times else math.nan,
        residual_sd=median(one["residual_sd"] for one in seen),
        level=seen[-1]["level"],
    )
