"""How much machine time a method needs to call an effect, from the variance of its measured units.

All methods are brought to the same rate of false alarms: each gets the test that its
noise deserves, which favours those whose own test is wrong. Fixed-sample methods are
reckoned by a t test over independent units; units beyond those measured are an
extrapolation, and it is said.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from judging import FloatArray, judge, running_fits, sequential_rule, start_contrasts
from rivals import Runs, Units
from scipy import optimize

from loadstone.stats.planning import power_at
from loadstone.stats.sequential import FIRST_LOOK, LAST_LOOK, Design, even_looks, plan
from loadstone.stats.special import noncentral_t_cdf, normal_quantile, t_critical

MANY = 200
"""Units beyond which a t test is as good as a z test."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What is to be called, how surely."""

    effect: float = 0.01
    power: float = 0.95
    alpha: float = 0.01

    @property
    def shift(self) -> float:
        """The effect as a log ratio."""
        return math.log1p(self.effect)

    @property
    def standard_error(self) -> float:
        """Standard error at which a z test has the power."""
        quantiles = normal_quantile(1.0 - self.alpha / 2.0) + normal_quantile(self.power)
        return self.shift / float(quantiles)


@dataclass(frozen=True, slots=True)
class Need:
    """What an aim takes."""

    seconds: float
    """Of the machine, start-ups included; infinite where no time is enough."""
    units: float
    block_s: float


@dataclass(frozen=True, slots=True)
class InPlace:
    """Variance of one before-then-after as a function of block length: floor + within / length."""

    floor: float
    within: float
    """Variance of a block of one second, beyond the floor."""

    def need(self, aim: Aim, overhead_s: float) -> Need:
        """Return the block length that reaches the aim, or none: longer blocks do not lower the floor."""
        room = aim.standard_error**2 - self.floor
        if room <= 0.0:
            return Need(math.inf, 1.0, math.inf)
        length = self.within / room
        return Need(2.0 * length + overhead_s, 1.0, length)


def units_needed(sd: float, aim: Aim) -> int:
    """Return the fewest independent units by which a t test (df = n - 1) reaches the aim."""
    estimate = (sd / aim.standard_error) ** 2
    if estimate > MANY:
        return math.ceil(estimate) + 2  # a t test costs about z^2 / 2 units more, a z test none
    count = 2
    while _t_power(aim.shift / sd, count, aim.alpha) < aim.power:
        count += 1
    return count


def repeated(units: Units, aim: Aim) -> Need:
    """Return what it takes to repeat whole units until their mean is sure enough."""
    count = units_needed(float(units.contrasts.std(ddof=1)), aim)
    return Need(count * float(units.duration_s.mean()), count, units.block_s)


def best_repeated(lengths: Sequence[Units], aim: Aim) -> Need:
    """Return the cheapest block length."""
    return min((repeated(units, aim) for units in lengths), key=lambda need: need.seconds)


def in_place(lengths: Sequence[Units]) -> InPlace:
    """Fit variance = floor + within / length to the measured lengths, by non-negative least squares.

    Weighted by how well each variance is known (its SE is proportional to itself).
    """
    variance = np.array([units.contrasts.var(ddof=1) for units in lengths])
    weight = np.sqrt([units.duration_s.size - 1.0 for units in lengths]) / variance
    design = np.array([[1.0, 1.0 / units.block_s] for units in lengths])
    (floor, within), _ = optimize.nnls(design * weight[:, None], variance * weight)
    return InPlace(float(floor), float(within))


def loadstone_need(runs: Runs, aim: Aim) -> Need:
    """Return what the shipped rule takes: the fewest generations whose last look has the power.

    Beyond the longest plan it is extrapolated, at the boundary of that plan's last look.
    """
    sd, turn_s = runs.residual_sd, runs.turn_s
    fixed = units_needed(sd, aim)  # without looks: never more
    for count in range(max(FIRST_LOOK, fixed + fixed % 2), LAST_LOOK + 1, 2):
        last = _design(count, aim.alpha).nominal_p[-1]
        if power_at(aim.shift, sd, count, last) >= aim.power:
            return Need(count * turn_s, count, turn_s)
    count = units_needed(sd, replace(aim, alpha=_design(LAST_LOOK, aim.alpha).nominal_p[-1]))
    return Need(count * turn_s, count, turn_s)


def seconds_to_call(runs: Runs, aim: Aim) -> float:
    """Return the mean seconds until the effect is called (or the plan's end), by simulated normal noise."""
    generations = int(min(loadstone_need(runs, aim).units, LAST_LOOK))
    rng = np.random.default_rng(1)
    s = start_contrasts(rng, 4_000, generations)
    fits = running_fits(runs.residual_sd * rng.standard_normal(s.shape), s)
    outcome = judge(fits, sequential_rule(_design(generations, aim.alpha)), aim.shift, 0.0)
    return float(outcome.generations.mean()) * runs.turn_s


def interval(values: FloatArray) -> tuple[float, float]:
    """Return the 2.5% and 97.5% quantiles of bootstrap values, infinite ones included."""
    low, high = np.quantile(values, [0.025, 0.975], method="nearest")
    return float(low), float(high)


@cache
def _design(generations: int, alpha: float) -> Design:
    return plan(even_looks(generations), alpha)


def _t_power(standardised: float, count: int, alpha: float) -> float:
    critical = float(t_critical(alpha, count - 1))
    shift = min(standardised * math.sqrt(count), critical + 30.0)
    below = float(noncentral_t_cdf(critical, count - 1, shift))
    return 1.0 - below if math.isfinite(below) else 1.0
