"""Before a run: what it could see. After an inconclusive one: how much more would settle it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from loadstone.errors import ConfigurationError
from loadstone.stats.inference import Fit
from loadstone.stats.sequential import FIRST_LOOK, Design, even_looks, plan
from loadstone.stats.special import noncentral_t_cdf, t_critical

DEFAULT_POWER = 0.8
GENERATIONS = (*range(FIRST_LOOK, 25, 2), 28, 32, 40, 48, 56, 64)
"""Numbers of generations to choose from; between the large ones the choice makes no difference."""
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

    A generation that measures for l seconds costs start_s + l, so that G = T / (start_s + l)
    of them fit into the budget T, and d_g has the variance between + within / l. For many
    generations the smallest effect goes as the standard error of their mean,

        SE^2 = (between + within / l) (start_s + l) / T,

    which is least at l = sqrt(start_s * within / between), whatever the budget (Kalibera
    & Jones 2013, section 6, with one second of measuring as their repetition; Cochran
    1977, eq. 10.26). For few it goes as c(G) sqrt(between + within / l), where c(G), from
    the noncentral t of `power_at`, falls faster than 1 / sqrt(G) as degrees of freedom
    are won: shorter generations are then better. So numbers from 6 to 64 are tried.

    Args:
        budget_s: seconds for everything that grows with the number of generations, T.
        start_s: seconds that each generation costs before it measures.
        alpha: two-sided, of one contrast.
        between_variance: variance of d_g between starts, however long they last.
        within_variance_s: variance of d_g from a generation of one second, on top.
        shortest_s: least length, such as what the tail quantiles need.
        power: of the detection.

    Raises:
        ConfigurationError: the budget does not hold 6 generations of the least length.
    """
    plans: list[RunPlan] = []
    for count in GENERATIONS:
        length = budget_s / count - start_s
        if length < shortest_s:
            break
        sd = math.sqrt(between_variance + within_variance_s / length)
        effect = sd * _roughly_standardised(count, alpha, power)
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


def seconds_to_see(
    effect: float,
    start_s: float,
    alpha: float,
    *,
    between_variance: float,
    within_variance_s: float,
    shortest_s: float = 5.0,
    power: float = DEFAULT_POWER,
    most_s: float = math.inf,
) -> float | None:
    """Return the least budget in seconds with which `plan_run` detects `effect` with probability `power`.

    In a share 1 - `power` of the runs the effect is not seen by then; in most it is seen
    earlier, at a look before the last. None where it takes more than `most_s`, or no
    number of generations that is considered would do, however long they were. Other
    arguments as in `plan_run`.
    """

    def budget(count: int, standardised: float) -> float:
        room = (effect / standardised) ** 2 - between_variance
        return count * (start_s + max(within_variance_s / room, shortest_s)) if room > 0.0 else math.inf

    count = min(GENERATIONS, key=lambda one: budget(one, _roughly_standardised(one, alpha, power)))
    if budget(count, _roughly_standardised(count, alpha, power)) > most_s:
        return None
    exact = budget(count, smallest_detectable(1.0, plan(even_looks(count), alpha), power))
    return exact if exact <= most_s and math.isfinite(exact) else None


@lru_cache(maxsize=1024)
def _roughly_standardised(generations: int, alpha: float, power: float) -> float:
    """Return the smallest effect in residual SDs, up to 6% too low: with two looks in place of all.

    Good enough to choose by, and a hundred times quicker.
    """
    looks = (FIRST_LOOK, generations) if generations > FIRST_LOOK else (FIRST_LOOK,)
    return smallest_detectable(1.0, plan(looks, alpha), power)


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
