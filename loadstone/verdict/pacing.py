"""Latency and CPU of each request, brought to the mean pace of its generation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loadstone.record.observations import Outcome, Rows
from loadstone.stats.inference import fit
from loadstone.stats.pace import at_pace, explained, pace_slope
from loadstone.stats.special import FloatArray

LATENCY, CPU = "service_us", "cpu_us"
TOUCHED_P, TOUCHED_SIZE = 0.001, 0.0025
"""The pace is not believed where the variants' paces differ: paired t over generations, and by so much."""
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Pace:
    """How the pace was used: by field, a slope for each endpoint."""

    slopes: dict[str, FloatArray]
    explained: dict[str, float]
    """Share of the noise within pairs that the pace accounts for."""
    touched: bool = False
    """The variants' paces differ by more than chance: it is not used."""
    difference: float = 0.0
    """Mean log pace during a variant's requests, less before's: of the variant where it is largest."""


@dataclass(frozen=True)
class _Couples:
    """Requests of one pair, on before and on another variant, over all generations."""

    step: NDArray[np.int64]
    other: NDArray[np.int64]
    """The variant that is not before."""
    generation: NDArray[np.int64]
    pace: FloatArray
    """Difference of log pace; NaN where unknown."""
    logs: dict[str, FloatArray]
    """Log ratios by field."""


def learn(rows: Sequence[Rows], good: Sequence[Bools], variants: int, endpoints: int) -> Pace:
    """Return the slopes that all generations together show, endpoint by endpoint."""
    couples = _couples(rows, good, variants)
    touched, difference = _touched(couples)
    slopes: dict[str, FloatArray] = {}
    shares: dict[str, float] = {}
    pace = _within(couples, couples.pace)
    for name, values in couples.logs.items():
        logs = _within(couples, values)
        table = np.zeros(max(endpoints, 1))
        for step in np.unique(couples.step):
            own = couples.step == step
            table[step] = 0.0 if touched else pace_slope(logs[own], pace[own])
        slopes[name] = table
        shares[name] = explained(logs, pace, table[couples.step])
    return Pace(slopes, shares, touched, difference)


def _within(couples: _Couples, values: FloatArray) -> FloatArray:
    """Return values [n] less their median for their endpoint and variant: effects are not noise."""
    within = values.copy()
    for step, other in {*zip(couples.step.tolist(), couples.other.tolist(), strict=True)}:
        own = (couples.step == step) & (couples.other == other) & np.isfinite(values)
        if own.any():
            within[own] -= np.median(values[own])
    return within


def adjusted(rows: Rows, field: str, pace: Pace) -> FloatArray:
    """Return a field's values [n] at the generation's mean pace; timeouts stay at their limit."""
    values = rows[field].astype(np.float64)
    slopes = pace.slopes.get(field)
    if slopes is None or not slopes.any():
        return values
    log_pace = _known_pace(rows)
    if np.isnan(log_pace).all():
        return values
    reference = float(np.nanmean(log_pace))
    moved = values.copy()
    for step in np.flatnonzero(slopes):
        own = (rows["step"] == step) & (rows["outcome"] != Outcome.TIMEOUT)
        moved[own] = at_pace(values[own], log_pace[own], reference, float(slopes[step]))
    return moved


def _known_pace(rows: Rows) -> FloatArray:
    pace = rows["pace"].astype(np.float64)
    pace[pace == 0.0] = np.nan
    return pace


def _couples(rows: Sequence[Rows], good: Sequence[Bools], variants: int) -> _Couples:
    parts: list[_Couples] = []
    for number, (table, chosen) in enumerate(zip(rows, good, strict=True)):
        kept = table[chosen & (table["gap"] == 0)]
        kept = kept[np.lexsort((kept["variant"], kept["pair"]))]
        kept = kept[: kept.size - kept.size % variants].reshape(-1, variants)
        parts += [_couple(kept, other, number) for other in range(1, variants)]
    if not parts:
        none = np.empty(0, int)
        return _Couples(none, none, none, np.empty(0), {LATENCY: np.empty(0)})
    return _Couples(
        np.concatenate([one.step for one in parts]),
        np.concatenate([one.other for one in parts]),
        np.concatenate([one.generation for one in parts]),
        np.concatenate([one.pace for one in parts]),
        {name: np.concatenate([one.logs[name] for one in parts]) for name in (LATENCY, CPU)},
    )


def _couple(kept: Rows, other: int, generation: int) -> _Couples:
    """Return the couples of before and one other variant, from complete pairs [pairs, variants]."""
    first, second = kept[:, 0], kept[:, other]
    logs = {}
    for name in (LATENCY, CPU):
        values = second[name].astype(np.float64), first[name].astype(np.float64)
        known = (values[0] > 0) & (values[1] > 0)
        logs[name] = np.full(first.size, np.nan)
        logs[name][known] = np.log(values[0][known] / values[1][known])
    return _Couples(
        first["step"].astype(np.int64),
        np.full(first.size, other, dtype=np.int64),
        np.full(first.size, generation, dtype=np.int64),
        _known_pace(second) - _known_pace(first),
        logs,
    )


def _touched(couples: _Couples) -> tuple[bool, float]:
    """Ask whether a variant slows the sampler itself down: then it tells of the variant, not of the host."""
    known = np.isfinite(couples.pace)
    others = np.unique(couples.other[known])
    found = [_touched_by(couples, known & (couples.other == other), others.size) for other in others]
    touched = any(touches for touches, _ in found)
    return touched, max((difference for _, difference in found), key=abs, default=0.0)


def _touched_by(couples: _Couples, own: Bools, variants: int) -> tuple[bool, float]:
    """Ask it of one of `variants`, among which the rate of false alarms is divided."""
    means = [
        couples.pace[own & (couples.generation == one)].mean() for one in np.unique(couples.generation[own])
    ]
    if len(means) < 6:  # noqa: PLR2004 - the first look
        return False, float(np.mean(means))
    paired = fit(np.array(means), None)
    return bool(
        paired.p_value <= TOUCHED_P / variants and abs(paired.estimate) > TOUCHED_SIZE
    ), paired.estimate
