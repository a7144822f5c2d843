"""The shipped rules over many simulated experiments at once, held against the shipped code."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loadstone.stats import anytime, verdicts
from loadstone.stats.inference import MINIMUM_GENERATIONS, fit
from loadstone.stats.sequential import Design, repeated_interval
from loadstone.stats.special import normal_quantile, t_critical

FloatArray = NDArray[np.float64]
CHECKED = 200
"""Experiments of each batch that are judged again, one by one, by `loadstone.stats`."""


@dataclass(frozen=True, slots=True)
class Fits:
    """Fits of all experiments after each generation, [experiments, generations]; NaN before the third."""

    estimate: FloatArray
    se: FloatArray


@dataclass(frozen=True, slots=True)
class Rule:
    """When to look, and how many standard errors the interval then reaches to either side."""

    name: str
    looks: tuple[int, ...]
    reach: FloatArray
    """[looks]"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Per experiment: interval at the look that stopped it, and when that was."""

    low: FloatArray
    high: FloatArray
    generations: NDArray[np.int64]
    alarm: NDArray[np.bool_]
    """0 was excluded at the stopping look."""
    ever_missed: NDArray[np.bool_]
    """The interval excluded the truth at any look, stopped or not."""


def start_contrasts(rng: np.random.Generator, experiments: int, generations: int) -> FloatArray:
    """Return s [experiments, generations]: +1 and -1 in couples, each couple in random order."""
    first = np.where(rng.integers(0, 2, (experiments, generations // 2)) == 1, 1.0, -1.0)
    return np.stack([first, -first], axis=2).reshape(experiments, generations)


def running_fits(d: FloatArray, s: FloatArray | None) -> Fits:
    """Fit d_g = theta + delta s_g + e_g to the first 3, 4, ... generations of every experiment.

    The same least squares as `stats.inference.fit`, from running sums; s = None
    leaves the start term out.
    """
    count = np.arange(1, d.shape[1] + 1, dtype=np.float64)
    total, square = np.cumsum(d, axis=1), np.cumsum(d * d, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = square - total**2 / count
        if s is None:
            estimate, unit = total / count, np.broadcast_to(1.0 / count, d.shape)
            df = count - 1.0
        else:
            lean = np.cumsum(s, axis=1)
            spread = np.cumsum(s * s, axis=1) - lean**2 / count
            slope = (np.cumsum(d * s, axis=1) - lean * total / count) / spread
            estimate = (total - slope * lean) / count
            rest -= slope**2 * spread
            unit = 1.0 / count + (lean / count) ** 2 / spread
            df = count - 2.0
        se = np.sqrt(np.maximum(rest, 0.0) / df * unit)
    estimate[:, : MINIMUM_GENERATIONS - 1] = se[:, : MINIMUM_GENERATIONS - 1] = np.nan
    return Fits(estimate, se)


def sequential_rule(design: Design) -> Rule:
    """Return the shipped group-sequential rule."""
    df = np.array(design.looks) - 2
    return Rule(str(design.spending), design.looks, t_critical(design.nominal_p, df))


def z_rule(design: Design) -> Rule:
    """Return a wrong rule: the same boundaries, acting on the p-value of a normal."""
    return Rule("z boundary", design.looks, normal_quantile(1.0 - np.array(design.nominal_p) / 2.0))


def every_look_rule(alpha: float, generations: int, first: int) -> Rule:
    """Return a wrong rule: a look after every generation, each at the whole of alpha."""
    looks = tuple(range(first, generations + 1))
    return Rule("every look", looks, t_critical(alpha, np.array(looks) - 2))


def anytime_rule(alpha: float, generations: int) -> Rule:
    """Return the anytime-valid rule, looked at after every generation from the third.

    With start orders in couples an odd number of generations is out of balance by
    one, which takes 1/n from the information: n_eff = n - 1/n.
    """
    counts = np.arange(MINIMUM_GENERATIONS, generations + 1)
    effective = np.where(counts % 2 == 0, counts, counts - 1.0 / counts)
    r = anytime.DEFAULT_PRECISION / (effective + anytime.DEFAULT_PRECISION)
    ratio = np.exp((-math.log(alpha) - 0.5 * np.log(r)) * 2.0 / (counts - 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        tau = np.where(ratio * r < 1.0, (ratio - 1.0) / (1.0 - r * ratio), np.inf)
    return Rule("anytime", tuple(int(count) for count in counts), np.sqrt(tau * (counts - 2)))


def judge(fits: Fits, rule: Rule, effect: float, margin: float) -> Outcome:
    """Add `effect` to every d_g, and stop each experiment at its first look with a verdict.

    An effect moves the estimate and nothing else, so the fits serve for all effects.
    `margin` = 0 leaves detection as the only verdict.
    """
    count = fits.estimate.shape[0]
    low, high = np.full(count, np.nan), np.full(count, np.nan)
    generations = np.full(count, rule.looks[-1], dtype=np.int64)
    running, missed = np.ones(count, dtype=bool), np.zeros(count, dtype=bool)
    for look, reach in zip(rule.looks, rule.reach, strict=True):
        error = fits.estimate[:, look - 1]
        estimate, half = error + effect, reach * fits.se[:, look - 1]
        low[running], high[running] = (estimate - half)[running], (estimate + half)[running]
        missed |= np.abs(error) > half
        decided = (np.abs(estimate) + half <= margin) | (np.abs(estimate) > half)
        generations[running & decided] = look
        running &= ~decided
    return Outcome(low, high, generations, (low > 0.0) | (high < 0.0), missed)


def hold_against_shipped(d: FloatArray, s: FloatArray, rule: Rule, design: Design, margin: float) -> None:
    """Judge the first experiments again with the shipped code; any disagreement ends the simulation."""
    outcome = judge(running_fits(d[:CHECKED], s[:CHECKED]), rule, 0.0, margin)
    for i in range(outcome.low.size):
        for index, look in enumerate(rule.looks):
            fitted = fit(d[i, :look], s[i, :look])
            if rule.name == "anytime":
                low, high = anytime.confidence_sequence(fitted, design.alpha)
            else:
                low, high, _ = repeated_interval(fitted, design, index)
            if verdicts.judge(low, high, margin) is not verdicts.Verdict.INCONCLUSIVE:
                break
        same = np.allclose([low, high], [outcome.low[i], outcome.high[i]], rtol=1e-6, atol=1e-12)
        if not same or look != outcome.generations[i]:
            raise AssertionError(f"simulation and shipped code disagree on experiment {i}: {rule.name}")
