"""The shipped rules over many simulated experiments at once, held against the shipped code."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loadstone.stats import verdicts
from loadstone.stats.inference import fit
from loadstone.stats.sequential import Design, repeated_interval
from loadstone.stats.special import normal_cdf, t_critical

FloatArray = NDArray[np.float64]
CHECKED = 200
"""Experiments of each batch that are judged again, one by one, by `loadstone.stats`."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Per experiment: interval at the look that stopped it, and when that was."""

    low: FloatArray
    high: FloatArray
    generations: NDArray[np.int64]
    alarm: NDArray[np.bool_]
    """0 was excluded at the stopping look."""
    ever_missed: NDArray[np.bool_]
    """The repeated interval excluded the truth at any look, stopped or not."""


def start_contrasts(rng: np.random.Generator, experiments: int, generations: int) -> FloatArray:
    """Return s [experiments, generations]: +1 and -1 in couples, each couple in random order."""
    first = np.where(rng.integers(0, 2, (experiments, generations // 2)) == 1, 1.0, -1.0)
    return np.stack([first, -first], axis=2).reshape(experiments, generations)


def judge(d: FloatArray, s: FloatArray, design: Design, margin: float, truth: float) -> Outcome:
    """Stop each experiment at its first look with a verdict, as a run with one gating contrast does."""
    count = d.shape[0]
    low, high = np.full(count, np.nan), np.full(count, np.nan)
    generations = np.full(count, design.maximum, dtype=np.int64)
    running, missed = np.ones(count, dtype=bool), np.zeros(count, dtype=bool)
    for look, nominal in zip(design.looks, design.nominal_p, strict=True):
        estimate, se = estimates(d[:, :look], s[:, :look])
        half = t_critical(nominal, look - 2) * se
        low[running], high[running] = (estimate - half)[running], (estimate + half)[running]
        missed |= np.abs(estimate - truth) > half
        decided = (np.abs(estimate) + half <= margin) | (np.abs(estimate) > half)
        generations[running & decided] = look
        running &= ~decided
    outcome = Outcome(low, high, generations, (low > 0.0) | (high < 0.0), missed)
    _hold_against_shipped(d, s, design, margin, outcome)
    return outcome


def estimates(d: FloatArray, s: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return theta and its standard error [experiments] for start orders in balance."""
    count = d.shape[1]
    mean = d.mean(axis=1)
    slope = (d * s).mean(axis=1)
    residual = d - mean[:, None] - slope[:, None] * s
    return mean, np.sqrt((residual**2).sum(axis=1) / (count - 2) / count)


def control_alarms(d: FloatArray, s: FloatArray, design: Design, kind: str) -> NDArray[np.bool_]:
    """Judge wrongly on purpose: such false alarms must exceed the planned rate.

    `z`: boundaries on the p-value of a normal. `every-look`: alpha spent anew at each
    look. `fixed-order`: *after* always started first, and no start term.
    """
    alarm = np.zeros(d.shape[0], dtype=bool)
    if kind == "fixed-order":
        d = d + (1.0 - s) * ((d * s).mean(axis=1, keepdims=True))
    for look, nominal in zip(design.looks, design.nominal_p, strict=True):
        estimate, se = estimates(d[:, :look], s[:, :look])
        if kind == "z":
            alarm |= 2.0 * normal_cdf(-np.abs(estimate) / se) <= nominal
        else:
            level = design.alpha if kind == "every-look" else nominal
            alarm |= np.abs(estimate) > t_critical(level, look - 2) * se
    return alarm


def _hold_against_shipped(
    d: FloatArray, s: FloatArray, design: Design, margin: float, outcome: Outcome
) -> None:
    """Judge the first experiments with the shipped code; any disagreement ends the simulation."""
    for i in range(min(CHECKED, d.shape[0])):
        for index, look in enumerate(design.looks):
            low, high, _ = repeated_interval(fit(d[i, :look], s[i, :look]), design, index)
            verdict = verdicts.judge(low, high, margin)
            if verdict is not verdicts.Verdict.INCONCLUSIVE or look == design.maximum:
                break
        same = np.allclose([low, high], [outcome.low[i], outcome.high[i]], rtol=1e-9, atol=1e-12)
        if not same or look != outcome.generations[i]:
            raise AssertionError(f"simulation and shipped code disagree on experiment {i}")
