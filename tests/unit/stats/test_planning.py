import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from loadstone.errors import ConfigurationError
from loadstone.stats.inference import Fit
from loadstone.stats.planning import (
    detectable_at,
    generations_to_settle,
    more_minutes,
    plan_run,
    power_at,
    seconds_to_see,
    smallest_detectable,
)
from loadstone.stats.repeated import Anytime
from loadstone.stats.sequential import even_looks, plan

DESIGN = plan((6, 8, 10, 12, 14, 16), 0.0025)


def a_fit(estimate, sd=0.004, generations=16):
    return Fit(estimate, sd / math.sqrt(generations), generations - 2, sd, 0.0, 0.1, generations)


def test_power_is_that_of_scipys_noncentral_t():
    critical = stats.t.isf(0.0005, 10)
    expected = stats.nct.sf(critical, 10, 0.01 / 0.008 * math.sqrt(12))
    assert power_at(0.01, 0.008, 12, 0.001) == pytest.approx(expected)


@pytest.mark.parametrize("effect", [0.5, 5.0, 500.0, 5e6])
def test_power_does_not_break_far_out(effect):
    assert 0.99 < power_at(effect, 0.004, 6, 1e-7) <= 1.0


@settings(max_examples=25, deadline=None)
@given(st.floats(1e-4, 0.1), st.floats(0.3, 0.99))
def test_the_smallest_detectable_effect_is_detected_with_the_stated_power(sd, power):
    effect = smallest_detectable(sd, DESIGN, power)
    assert power_at(effect, sd, 16, DESIGN.nominal_p[-1]) == pytest.approx(power, abs=1e-6)


def test_simulated_power_at_the_smallest_detectable_effect():
    """20,000 runs at the last look alone: 80% within 4 standard errors."""
    effect = smallest_detectable(1.0, DESIGN)
    d = np.random.default_rng(11).standard_normal((20_000, 16)) + effect
    s = np.tile([1.0, -1.0], 8)
    mean, slope = d.mean(axis=1), (d * s).mean(axis=1)
    residual = d - mean[:, None] - slope[:, None] * s
    t = mean / np.sqrt((residual**2).sum(axis=1) / 14 / 16)
    rate = (2 * stats.t.sf(np.abs(t), 14) <= DESIGN.nominal_p[-1]).mean()
    assert rate == pytest.approx(0.8, abs=4 * math.sqrt(0.16 / 20_000))


def test_no_variance_needs_no_effect():
    assert power_at(0.1, 0.0, 8, 0.01) == 1.0
    assert power_at(0.0, 0.0, 8, 0.01) == 0.01
    assert smallest_detectable(0.0, DESIGN) == 0.0


def test_an_effect_in_the_middle_of_the_margin_takes_longest_to_settle():
    needed = [generations_to_settle(a_fit(effect), DESIGN, 0.005) for effect in (0.0001, 0.003, 0.009)]
    assert needed[0] < needed[1] > needed[2]
    assert all(count % 2 == 0 for count in needed)


def test_more_noise_needs_more_generations():
    one, other = (generations_to_settle(a_fit(0.003, sd), DESIGN, 0.02) for sd in (0.01, 0.02))
    assert 16 <= one < other


def test_what_no_run_would_settle_is_not_promised():
    assert generations_to_settle(a_fit(0.0, sd=10.0), DESIGN, 0.001) is None
    assert more_minutes(a_fit(0.0, sd=10.0), DESIGN, 0.001, 20.0) is None
    assert generations_to_settle(a_fit(math.nan), DESIGN, 0.01) is None


def test_minutes_count_the_generations_still_to_come():
    fit = a_fit(0.003, sd=0.01)
    total = generations_to_settle(fit, DESIGN, 0.02)
    assert more_minutes(fit, DESIGN, 0.02, 30.0) == pytest.approx(max(total - 16, 2) / 2)


def test_without_variance_the_margin_alone_decides():
    still = Fit(0.0, 0.0, 4, 0.0, 0.0, 1.0, 6)
    assert generations_to_settle(still, DESIGN, 0.01) == 6


def test_variance_between_starts_asks_for_many_short_generations_and_within_for_few_long_ones():
    common = {"budget_s": 300.0, "start_s": 3.0, "alpha": 0.0025}
    between = plan_run(**common, between_variance=1e-5, within_variance_s=1e-6)
    within = plan_run(**common, between_variance=1e-8, within_variance_s=1e-3)
    assert between.generations > within.generations
    assert between.generation_s < within.generation_s
    for chosen in (between, within):
        assert chosen.generations * (chosen.generation_s + 3.0) == pytest.approx(300.0)


def test_a_larger_budget_sees_smaller_effects():
    effects = [
        plan_run(budget, 3.0, 0.01, between_variance=9e-6, within_variance_s=8e-5).smallest_effect
        for budget in (60.0, 120.0, 300.0)
    ]
    assert effects == sorted(effects, reverse=True)


def test_a_budget_too_short_says_what_is_needed():
    with pytest.raises(ConfigurationError, match="6 generations need 48 s"):
        plan_run(40.0, 3.0, 0.01, between_variance=1e-5, within_variance_s=1e-5)


NOISE = {"between_variance": 0.004**2, "within_variance_s": 0.2**2 * 0.025}


@pytest.mark.parametrize(("budget_s", "start_s"), [(60.0, 3.0), (120.0, 4.0), (70.0, 1.0)])
def test_no_other_number_of_generations_sees_much_less(budget_s, start_s):
    """All even numbers up to 24 with all their looks: the chosen one comes within 2% of the best."""
    chosen = plan_run(budget_s, start_s, 0.0025, **NOISE, shortest_s=1.0)
    effects = {}
    for count in range(6, 25, 2):
        length = budget_s / count - start_s
        if length >= 1.0:
            sd = math.sqrt(NOISE["between_variance"] + NOISE["within_variance_s"] / length)
            effects[count] = smallest_detectable(sd, plan(even_looks(count), 0.0025))
    assert chosen.generations in effects
    assert chosen.smallest_effect == pytest.approx(effects[chosen.generations])
    assert chosen.smallest_effect <= 1.02 * min(effects.values())


@pytest.mark.parametrize("ratio", [0.25, 1.0, 4.0])
def test_with_many_generations_the_length_is_that_of_kalibera_and_jones(ratio):
    """sqrt(start * within / between), to the next number of generations, once degrees of freedom abound."""
    start_s, between = 4.0, 0.003**2
    within = ratio * start_s * between
    best_s = math.sqrt(start_s * within / between)
    found = plan_run(
        44 * (start_s + best_s),
        start_s,
        0.0025,
        between_variance=between,
        within_variance_s=within,
        shortest_s=0.1,
    )
    assert 40 <= found.generations <= 56
    spent = [(between + within / length) * (start_s + length) for length in (found.generation_s, best_s)]
    assert spent[0] <= 1.02 * spent[1]


def test_few_generations_are_shorter_than_that_formula_says_because_degrees_of_freedom_count():
    formula_s = math.sqrt(4.0 * NOISE["within_variance_s"] / NOISE["between_variance"])
    assert plan_run(90.0, 4.0, 0.0025, **NOISE, shortest_s=1.0).generation_s < 0.9 * formula_s


@settings(max_examples=15, deadline=None)
@given(
    effect=st.floats(0.004, 0.04),
    start_s=st.floats(0.5, 6.0),
    between=st.floats(1e-7, 2e-5),
    within=st.floats(1e-5, 2e-3),
    power=st.sampled_from([0.8, 0.95]),
)
def test_the_time_to_see_an_effect_is_the_budget_whose_plan_sees_it(effect, start_s, between, within, power):
    """Within 3%, as the plan chooses among numbers of generations by an approximation; and no sooner."""
    noise = {"between_variance": between, "within_variance_s": within, "shortest_s": 1.0, "power": power}
    seconds = seconds_to_see(effect, start_s, 0.0025, **noise)
    if seconds is None:
        assert plan_run(1e6, start_s, 0.0025, **noise).smallest_effect > 0.97 * effect
        return
    assert plan_run(seconds * (1 + 1e-9), start_s, 0.0025, **noise).smallest_effect <= 1.03 * effect
    if 0.9 * seconds >= 6 * (start_s + 1.0):
        assert plan_run(0.9 * seconds, start_s, 0.0025, **noise).smallest_effect > 0.99 * effect


def test_what_takes_too_long_is_not_promised():
    assert seconds_to_see(0.005, 4.0, 0.0025, **NOISE) > 600.0
    assert seconds_to_see(0.005, 4.0, 0.0025, **NOISE, most_s=600.0) is None
    assert seconds_to_see(1e-5, 4.0, 0.0025, **NOISE) is None


def settles(effect, sd, count, bar, margin, rng, runs=4_000):
    """Share of runs of `count` generations that detect the effect, or certify it to lie inside the margin."""
    d = effect + sd * rng.standard_normal((runs, count))
    s = np.tile([1.0, -1.0], count // 2)
    mean, slope = d.mean(axis=1), (d * s).mean(axis=1)
    residual = d - mean[:, None] - slope[:, None] * s
    half = stats.t.isf(bar / 2, count - 2) * np.sqrt((residual**2).sum(axis=1) / (count - 2) / count)
    return ((np.abs(mean) > half) | (np.abs(mean) + half <= margin)).mean()


@pytest.mark.parametrize("bar", [DESIGN, Anytime(0.0025).nominal_p], ids=["planned", "anytime"])
@pytest.mark.parametrize("effect", [0.0, 0.003, 0.03])
def test_as_many_generations_as_promised_do_settle(effect, bar):
    """4,000 runs: were the estimate true, at least 80% less 4 standard errors; and not far fewer would do."""
    rng = np.random.default_rng(12)
    count = generations_to_settle(a_fit(effect, sd=0.02, generations=6), bar, 0.02)
    nominal = bar.nominal_p[-1] if bar is DESIGN else bar(count)
    assert settles(effect, 0.02, count, nominal, 0.02, rng) >= 0.8 - 4 * math.sqrt(0.16 / 4_000)
    half = count // 2 - count // 2 % 2
    nominal = bar.nominal_p[-1] if bar is DESIGN else bar(half)
    assert settles(effect, 0.02, half, nominal, 0.02, rng) < 0.6


def test_the_smallest_effect_of_a_run_without_a_planned_end_is_that_of_its_generations():
    bar = Anytime(0.0025).nominal_p
    effects = [detectable_at(0.01, count, bar(count)) for count in (8, 16, 32)]
    assert effects == sorted(effects, reverse=True)
    assert detectable_at(0.01, 6, 0.0) == math.inf
