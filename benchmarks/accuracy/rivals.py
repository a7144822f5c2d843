"""How others judge: each method's own decision rule, over units of real identical variants.

An effect is injected by multiplying every level of *after*. Units are drawn with
replacement, and in half of the draws the sides change places: they are identical.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from judging import FloatArray, judge, running_fits, sequential_rule
from numpy.typing import NDArray
from scipy import stats

from loadstone.stats.inference import fit
from loadstone.stats.sequential import FIRST_LOOK, LAST_LOOK, even_looks, plan

Bools = NDArray[np.bool_]
ASV_SAMPLES = 5
"""Samples that asv takes in each of several rounds."""
ASV_P, ASV_FACTOR = 0.002, 1.1
"""Defaults of asv.statistics.is_different, and of --factor."""
USUAL_ALPHA = 0.05
"""benchstat's default, and what a Welch test is usually read at."""
DUET_ALPHA = 0.01
CODSPEED, ACTION = 1.10, 2.00
"""CodSpeed's default threshold (10%), and alert-threshold 200% of github-action-benchmark: twice as slow."""
HEADROOM = 1.10
"""An absolute threshold is set once, a tenth above what was seen then."""


@dataclass(frozen=True, slots=True)
class Units:
    """Units of one scheme and block length."""

    block_s: float
    duration_s: FloatArray
    """[units] seconds of the machine, start-ups included."""
    means: FloatArray
    """[units, side] capped means."""
    rounds: FloatArray
    """[units, side, round]"""

    @property
    def contrasts(self) -> FloatArray:
        """Log ratio of each unit [units], after against before."""
        return np.asarray(np.log(self.means[:, 1] / self.means[:, 0]), dtype=np.float64)

    def take(self, index: NDArray[np.int64]) -> Units:
        """Return the units at `index`, for a bootstrap."""
        return Units(self.block_s, self.duration_s[index], self.means[index], self.rounds[index])


@dataclass(frozen=True, slots=True)
class Draws:
    """Experiments of k units each: `means` [experiments, k, side], `rounds` [..., round]."""

    means: FloatArray
    rounds: FloatArray
    reference: FloatArray
    """[experiments] a mean from another time, which an absolute threshold was set by."""


Rule = Callable[[Draws], tuple[Bools, FloatArray]]
"""Returns alarms [experiments], and estimated log ratios that tell their direction."""


def units_of(rows: Sequence[dict[str, Any]], scheme: str, block_s: float) -> Units:
    """Return the stored units of one scheme and block length."""
    own = [row for row in rows if row["scheme"] == scheme and row["block_s"] == block_s]
    return Units(
        block_s,
        np.array([row["duration_s"] for row in own], dtype=np.float64),
        np.array([[side["capped_mean_us"] for side in row["sides"]] for row in own]).reshape(-1, 2),
        np.array([[side["rounds_us"] for side in row["sides"]] for row in own]).reshape(len(own), 2, -1),
    )


def draw(units: Units, per_experiment: int, experiments: int, rng: np.random.Generator) -> Draws:
    """Return experiments drawn from the units."""
    count = units.duration_s.size
    index = rng.integers(0, count, (experiments, per_experiment))
    swap = rng.integers(0, 2, experiments) == 1
    means, rounds = units.means[index], units.rounds[index]
    means[swap], rounds[swap] = means[swap][:, :, ::-1], rounds[swap][:, :, ::-1]
    elsewhere = (index[:, 0] + rng.integers(1, max(count, 2), experiments)) % count
    return Draws(means, rounds, units.means[elsewhere, 0])


def inject(draws: Draws, effect: float) -> Draws:
    """Return the experiments with *after* slower by `effect`."""
    factor = np.array([1.0, 1.0 + effect])
    return Draws(draws.means * factor, draws.rounds * factor[:, None], draws.reference)


def power(rule: Rule, draws: Draws, effect: float) -> float:
    """Return the share of experiments called: in either direction at no effect, else as slower."""
    alarms, estimate = rule(inject(draws, effect))
    return float((alarms & ((estimate > 0.0) | (effect == 0.0))).mean())


def welch_rounds(draws: Draws) -> tuple[Bools, FloatArray]:
    """Welch's t test over the rounds of one before and one after."""
    before, after = draws.rounds[:, 0, 0], draws.rounds[:, 0, 1]
    p = stats.ttest_ind(after, before, axis=1, equal_var=False).pvalue
    return p < USUAL_ALPHA, _ratio(draws.means[:, :1])


def mann_whitney_rounds(draws: Draws) -> tuple[Bools, FloatArray]:
    """Mann-Whitney's U test over the rounds of one before and one after, as benchstat does."""
    before, after = draws.rounds[:, 0, 0], draws.rounds[:, 0, 1]
    p = stats.mannwhitneyu(after, before, axis=1, method="exact").pvalue
    return p < USUAL_ALPHA, _ratio(draws.means[:, :1])


def threshold(factor: float) -> Rule:
    """Return the rule of one before, one after and a limit to their ratio."""

    def rule(draws: Draws) -> tuple[Bools, FloatArray]:
        ratio = _ratio(draws.means[:, :1])
        return ratio > np.log(factor), ratio

    return rule


def absolute(draws: Draws) -> tuple[Bools, FloatArray]:
    """Hold *after* alone to a limit that was set at another time, as k6's thresholds do."""
    ratio = np.log(draws.means[:, 0, 1] / draws.reference)
    return ratio > np.log(HEADROOM), ratio


def asv(draws: Draws) -> tuple[Bools, FloatArray]:
    """Pool the samples of all interleaved rounds: U test at 0.002, and medians that differ by a tenth."""
    shape = (draws.rounds.shape[0], -1, 2, ASV_SAMPLES, draws.rounds.shape[3] // ASV_SAMPLES)
    samples = draws.rounds.reshape(shape).mean(axis=-1).transpose(0, 2, 1, 3).reshape(shape[0], 2, -1)
    p = stats.mannwhitneyu(samples[:, 1], samples[:, 0], axis=1, method="asymptotic").pvalue
    ratio = np.log(np.median(samples[:, 1], axis=1) / np.median(samples[:, 0], axis=1))
    return (p < ASV_P) & (np.abs(ratio) > np.log(ASV_FACTOR)), ratio


def welch_starts(draws: Draws) -> tuple[Bools, FloatArray]:
    """Welch's t test over one mean for each of the interleaved starts."""
    p = stats.ttest_ind(draws.means[:, :, 1], draws.means[:, :, 0], axis=1, equal_var=False).pvalue
    return p < USUAL_ALPHA, _ratio(draws.means)


def paired_starts(draws: Draws) -> tuple[Bools, FloatArray]:
    """Paired t interval over the log ratios of parallel starts, at 99%."""
    d = np.log(draws.means[:, :, 1] / draws.means[:, :, 0])
    return stats.ttest_1samp(d, 0.0, axis=1).pvalue < DUET_ALPHA, _ratio(draws.means)


def _ratio(means: FloatArray) -> FloatArray:
    return np.asarray(np.log(means[:, :, 1] / means[:, :, 0]).mean(axis=1), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs of loadstone on identical variants."""

    d: list[FloatArray]
    s: list[FloatArray]
    duration_s: FloatArray
    alarms: int
    """Runs of which any gating metric was called."""

    @property
    def turn_s(self) -> float:
        """Seconds of the machine for one generation, everything included."""
        return float(self.duration_s.sum() / sum(one.size for one in self.d))

    @property
    def residual_sd(self) -> float:
        """SD of e_g, pooled over the runs' own fits."""
        fits = [fit(d, s) for d, s in zip(self.d, self.s, strict=True)]
        return float(np.sqrt(sum(f.residual_sd**2 * f.df for f in fits) / sum(f.df for f in fits)))

    def resampled(self, rng: np.random.Generator) -> Runs:
        """Return as many runs, drawn with replacement, each of couples drawn likewise."""
        picked = rng.integers(0, len(self.d), len(self.d))
        drawn = [_couples(self.d[i], self.s[i]) for i in picked]
        drawn = [one[rng.integers(0, len(one), len(one))] for one in drawn]
        return Runs(
            [one[:, 0].ravel() for one in drawn],
            [one[:, 1].ravel() for one in drawn],
            self.duration_s[picked],
            0,
        )


def runs_of(rows: Sequence[dict[str, Any]]) -> Runs:
    """Return the stored runs of loadstone that ended well."""
    own = [row for row in rows if row["scheme"] == "loadstone" and np.isfinite(row["d"]).all()]
    return Runs(
        [np.array(row["d"], dtype=np.float64) for row in own],
        [np.array(row["s"], dtype=np.float64) for row in own],
        np.array([row["duration_s"] for row in own], dtype=np.float64),
        sum(bool(row["detected"]) for row in own),
    )


def loadstone_power(
    runs: Runs, budget_s: float, alpha: float, effects: Sequence[float], rng: np.random.Generator
) -> list[float]:
    """Return how often the shipped rule calls each effect within the budget; none where it is too short.

    Experiments are made of real couples of generations (one of either start order),
    each with its sides changed in half of the draws.
    """
    generations = min(int(budget_s / runs.turn_s) // 2 * 2, LAST_LOOK)
    couples = np.concatenate([_couples(d, s) for d, s in zip(runs.d, runs.s, strict=True)])
    if generations < FIRST_LOOK or not couples.size:
        return []
    rule = sequential_rule(plan(even_looks(generations), alpha))
    drawn = couples[rng.integers(0, len(couples), (4_000, generations // 2))]
    drawn = drawn * np.where(rng.integers(0, 2, drawn.shape[:2]) == 1, 1.0, -1.0)[:, :, None, None]
    fits = running_fits(drawn[:, :, 0].reshape(4_000, -1), drawn[:, :, 1].reshape(4_000, -1))
    found = []
    for effect in effects:
        outcome = judge(fits, rule, float(np.log1p(effect)), 0.0)
        found.append(float((outcome.alarm & ((outcome.low > 0.0) | (effect == 0.0))).mean()))
    return found


def _couples(d: FloatArray, s: FloatArray) -> FloatArray:
    """Return a run's couples [couples, (d, s), 2]: two generations of either start order."""
    even = d.size - d.size % 2
    couples = np.stack([d[:even].reshape(-1, 2), s[:even].reshape(-1, 2)], axis=1)
    return np.asarray(couples[couples[:, 1].sum(axis=1) == 0.0], dtype=np.float64)
