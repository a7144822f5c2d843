import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from loadstone.errors import MeasurementError
from loadstone.stats.inference import contrasts, fit, fit_all

ORDER = np.array([1.0, -1.0, -1.0, 1.0, 1.0, -1.0, 1.0, -1.0])
effects = st.lists(st.floats(-1, 1), min_size=8, max_size=8).map(np.array)


@given(st.integers(0, 2**32), st.booleans())
def test_the_fit_is_that_of_scipys_linear_regression(seed, balanced):
    """The estimate is the intercept of d on s, whether or not start orders are in balance."""
    rng = np.random.default_rng(seed)
    s = ORDER if balanced else np.array([1.0, 1, 1, -1, 1, -1, 1, 1])
    d = 0.3 + 0.1 * s + rng.standard_normal(8)
    oracle = stats.linregress(s, d)
    result = fit(d, s)
    assert result.estimate == pytest.approx(oracle.intercept)
    assert result.se == pytest.approx(oracle.intercept_stderr)
    assert result.start_effect == pytest.approx(oracle.slope)
    assert result.p_value == pytest.approx(2 * stats.t.sf(abs(oracle.intercept / oracle.intercept_stderr), 6))
    assert result.df == 6


def test_without_a_start_term_it_is_the_one_sample_t_test():
    d = np.array([0.1, 0.3, -0.2, 0.4, 0.25])
    oracle = stats.ttest_1samp(d, 0.0)
    result = fit(d, None)
    assert (result.df, result.p_value) == (4, pytest.approx(oracle.pvalue))
    assert math.isnan(result.start_effect)
    interval = oracle.confidence_interval(0.95)
    assert result.interval(0.05) == (pytest.approx(interval.low), pytest.approx(interval.high))


def test_a_start_effect_is_neither_bias_nor_noise():
    d = 0.02 + 0.5 * ORDER + 0.001 * np.array([1, 1, -1, -1, 1, -1, -1, 1.0])
    result = fit(d, ORDER)
    assert result.estimate == pytest.approx(0.02, abs=1e-3)
    assert result.start_effect == pytest.approx(0.5, abs=1e-3)
    assert result.residual_sd < 0.002


@given(effects, st.floats(1e-4, 0.5))
def test_the_interval_excludes_zero_exactly_when_p_is_below_its_level(d, p):
    result = fit(d, ORDER)
    low, high = result.interval(p)
    if abs(result.p_value - p) > 1e-9:
        assert (low > 0 or high < 0) == (result.p_value < p)


@given(effects)
def test_swapping_variants_turns_the_sign_and_nothing_else(d):
    forward, backward = fit(d, ORDER), fit(-d, -ORDER)
    assert backward.estimate == pytest.approx(-forward.estimate)
    assert backward.se == pytest.approx(forward.se)
    assert backward.p_value == pytest.approx(forward.p_value)
    assert backward.start_effect == pytest.approx(forward.start_effect)


def test_identical_counts_are_certainly_equal():
    result = fit(np.zeros(6), ORDER[:6])
    assert (result.estimate, result.p_value, result.interval(0.01)) == (0.0, 1.0, (0.0, 0.0))


def test_a_constant_difference_is_certain_despite_rounding():
    result = fit(np.full(6, math.log(1.1)), ORDER[:6])
    assert (result.se, result.p_value) == (0.0, 0.0)


def test_values_rounded_alike_do_not_claim_more_than_their_resolution():
    result = fit(np.zeros(6), ORDER[:6], resolution=0.01)
    assert result.residual_sd == pytest.approx(0.01 / math.sqrt(6))
    low, high = result.interval(0.01)
    assert low < 0 < high


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_one_generation_without_a_value_makes_the_contrast_unavailable(bad):
    """It must not be dropped: which generations fail may depend on the variant."""
    result = fit(np.array([0.1, bad, 0.1, 0.1, 0.2, 0.1]), ORDER[:6])
    assert not result.available
    assert math.isnan(result.p_value)
    assert all(math.isnan(edge) for edge in result.interval(0.05))


def test_two_generations_are_too_few():
    with pytest.raises(MeasurementError, match="2 generations"):
        fit(np.array([0.1, 0.2]), ORDER[:2])


def test_a_start_order_that_never_varied_is_refused():
    with pytest.raises(MeasurementError, match="never varied"):
        fit(np.array([0.1, 0.2, 0.3]), np.ones(3))


def test_contrasts_are_log_ratios_against_the_baseline():
    levels = np.array([[100.0, 110.0, 0.0], [200.0, 190.0, 200.0]])
    positions = np.array([[0, 1, 2], [2, 0, 1]])
    d, s = contrasts(levels, positions)
    assert d[:, 0] == pytest.approx([math.log(1.1), math.log(0.95)])
    assert math.isnan(d[0, 1])
    assert s.tolist() == [[-0.5, -1.0], [1.0, 0.5]]


def test_contrasts_of_errors_are_differences():
    d, _ = contrasts(np.array([[0.0, 0.01]] * 3), np.array([[0, 1]] * 3), log=False)
    assert d[:, 0].tolist() == [0.01] * 3


def test_two_variants_have_start_contrasts_of_plus_and_minus_one():
    _, s = contrasts(np.ones((2, 2)), np.array([[0, 1], [1, 0]]))
    assert s[:, 0].tolist() == [-1.0, 1.0]


def test_levels_and_positions_must_match():
    with pytest.raises(MeasurementError, match="do not match"):
        contrasts(np.ones((4, 2)), np.zeros((4, 3), dtype=int))


@given(st.integers(0, 2**32), st.floats(1e-6, 1e6))
def test_units_do_not_matter(seed, unit):
    rng = np.random.default_rng(seed)
    levels = np.exp(rng.standard_normal((8, 3)))
    positions = np.argsort(rng.random((8, 3)), axis=1)
    for one, other in zip(fit_all(levels, positions), fit_all(levels * unit, positions), strict=True):
        assert other.estimate == pytest.approx(one.estimate, abs=1e-9)
        assert other.p_value == pytest.approx(one.p_value, rel=1e-6)


def test_requests_as_the_unit_would_cry_wolf():
    """Negative control: 1,000 runs of equal variants, 8 starts of 200 pairs, starts that differ a little.

    Over pairs, p <= 0.01 comes in one run of six; over generations in 1% + 4 standard errors at most.
    """
    rng = np.random.default_rng(12)
    pairs = 0.02 * rng.standard_normal((1_000, 8, 1)) + 0.2 * rng.standard_normal((1_000, 8, 200))
    by_pair = stats.ttest_1samp(pairs.reshape(1_000, -1), 0.0, axis=1).pvalue <= 0.01
    by_generation = np.array([fit(d, ORDER).p_value <= 0.01 for d in pairs.mean(axis=2)])
    assert by_pair.mean() > 0.1
    assert by_generation.mean() <= 0.01 + 4 * math.sqrt(0.01 / 1_000)
