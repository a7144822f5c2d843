"""Before a run: what it could see. After an inconclusive one: how much more would settle it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

from loadstone.errors import ConfigurationError
from loadstone.stats.inference import Fit
from loadstone.stats.sequential import FIRST_LOOK, Design, even_looks, plan
from loadstone.stats.special import noncentral_t_cdf, t_critical

DEFAULT_POWER = 0.8
MOST_GENERATIONS = 64
"""Largest plan that `plan_run` considers."""
SETTLE_LIMIT = 512
"""Generations beyond which no promise is made."""
_BISECTIONS = 50
Bar = Callable[[int], float]
"""From a number of generations to the p-value of t(G - 2) below which 0 is excluded; 0: by none."""


@dataclass(frozen=True, slots=True)
class RunPlan:
    """Generations and their length for one time budget."""

    generations: int
    """Most generations that the budget holds; looks come before."""
    generation_s: float
    """Measured seconds of each generation, start-up apart."""
    residual_sd: float
    smallest_effect: float
    """Smallest detectable effect at the last look, in the unit of the variances' root."""


def power_at(effect: float, residual_sd: float, generations: int, nominal_p: float) -> float:
    """Return the probability that one look after balanced `generations` has p <= `nominal_p`.

    The power of a t test (noncentral t, df = G - 2); earlier looks only add to it.
    """
    if residual_sd <= 0.0:
        return 1.0 if effect != 0.0 else nominal_p
    shift = abs(effect) * math.sqrt(generations) / residual_sd
    critical = float(t_critical(nominal_p, generations - 2))
    # far beyond the critical value the noncentral t overflows into NaN; the power is 1 there
    below = float(noncentral_t_cdf(critical, generations - 2, min(shift, critical + 30.0 + critical)))
    return 1.0 - below if math.isfinite(below) else 1.0


def smallest_detectable(residual_sd: float, design: Design, power: float = DEFAULT_POWER) -> float:
    """Return the effect that the last look of `design` detects with probability `power`.

    In the unit of `residual_sd` (log ratio, or difference); an upper bound, as
    earlier looks are not counted.
    """
    return detectable_at(residual_sd, design.maximum, design.nominal_p[-1], power)


def detectable_at(
    residual_sd: float, generations: int, nominal_p: float, power: float = DEFAULT_POWER
) -> float:
    """Return the effect that one look after `generations` detects with probability `power`.

    In the unit of `residual_sd`; infinite where no p-value is small enough (`nominal_p` of 0).
    """
    if nominal_p <= 0.0:
        return math.inf
    return residual_sd * _standardised(generations, nominal_p, power)


def generations_to_settle(
    fit: Fit, bar: Design | Bar, margin: float, power: float = DEFAULT_POWER
) -> int | None:
    """Return the total number of generations that would likely settle an inconclusive contrast.

    Takes the estimate and residual SD for true, and asks for the fewest generations at
    which, at the p-value of the design's last look (or the `bar` of that many generations),
    either a difference is detected or the interval lies inside +-`margin`, with probability
    `power`. None where 512 would not do, or the fit is unavailable. A rough forecast: the
    estimate is itself uncertain.
    """
    if not fit.available:
        return None
    for generations in range(max(FIRST_LOOK, fit.generations), SETTLE_LIMIT + 1, 2):
        count = generations + generations % 2
        nominal = bar.nominal_p[-1] if isinstance(bar, Design) else bar(count)
        if nominal <= 0.0:
            continue
        detects = power_at(fit.estimate, fit.residual_sd, count, nominal) >= power
        if detects or _certifies(fit, count, nominal, margin, power):
            return count
    return None


def more_minutes(
    fit: Fit, bar: Design | Bar, margin: float, seconds_per_generation: float, power: float = DEFAULT_POWER
) -> float | None:
    """Return the minutes of further measuring that `generations_to_settle` asks for, or None."""
    total = generations_to_settle(fit, bar, margin, power)
    return None if total is None else max(total - fit.generations, 2) * seconds_per_generation / 60.0


def plan_run(
    budget_s: float,
    start_s: float,
    alpha: float,
    *,
    between_variance: float,
    within_variance_s: float,
    shortest_s: float = 5.0,
    power: float = DEFAULT_POWER,
) -> RunPlan:
    """Choose the number and length of generations that make the smallest detectable effect least.

    Args:
        budget_s: seconds for everything that grows with the number of generations.
        start_s: seconds that each generation costs before it measures.
        alpha: two-sided, of one contrast.
        between_variance: variance of d_g between starts, however long they last.
        within_variance_s: variance of d_g from a generation of one second, on top: a
            generation of l seconds has variance between + within / l. The best length
            for many generations is sqrt(start_s * within / between) (Kalibera & Jones
            2013, eq. 5); with few, degrees of freedom count too, so all even numbers
            are tried.
        shortest_s: least length, such as what the tail quantiles need.
        power: of the detection.

    Raises:
        ConfigurationError: the budget does not hold 6 generations of the least length.
    """
    plans: list[RunPlan] = []
    for count in range(FIRST_LOOK, MOST_GENERATIONS + 1, 2):
        length = budget_s / count - start_s
        if length < shortest_s:
            break
        sd = math.sqrt(between_variance + within_variance_s / length)
        # the nominal p of the last look hardly depends on the looks: a few stand for all
        looks = tuple(dict.fromkeys(chain((FIRST_LOOK,), (count,))))
        effect = smallest_detectable(sd, plan(looks, alpha), power)
        plans.append(RunPlan(count, length, sd, effect))
    if not plans:
        needed = FIRST_LOOK * (start_s + shortest_s)
        raise ConfigurationError(
            f"a budget of {budget_s:.0f} s is too short: {FIRST_LOOK} generations need {needed:.0f} s",
            remedy="allow more time with --budget",
        )
    best = min(plans, key=lambda candidate: candidate.smallest_effect)
    exact = smallest_detectable(best.residual_sd, plan(even_looks(best.generations), alpha), power)
    return RunPlan(best.generations, best.generation_s, best.residual_sd, exact)


def _standardised(generations: int, nominal_p: float, power: float) -> float:
    """Return effect / residual SD at which `power_at` equals `power`."""
    low, high = 0.0, 2.0 * float(t_critical(nominal_p, generations - 2)) + 10.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2.0
        if power_at(middle, 1.0, generations, nominal_p) < power:
            low = middle
        else:
            high = middle
    return high


def _certifies(fit: Fit, generations: int, nominal_p: float, margin: float, power: float) -> bool:
    """Say whether the interval would lie inside the margin, were the estimate true."""
    if fit.residual_sd == 0.0:
        return abs(fit.estimate) <= margin
    critical = float(t_critical(nominal_p, generations - 2))
    spread = float(t_critical(1.0 - power, generations - 2))
    room = margin - abs(fit.estimate)
    return (critical + spread) * fit.residual_sd / math.sqrt(generations) <= room
