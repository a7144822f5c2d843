import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from loadstone.errors import MeasurementError
from loadstone.stats.audit import benjamini_hochberg, influence, rerandomise

ORDER = np.tile([1.0, -1.0], 6)


@given(st.lists(st.integers(-20, 20), min_size=2, max_size=13).map(np.array))
def test_rerandomisation_counts_every_start_order(d):
    d = d.astype(float)
    sums = d[: d.size // 2 * 2].reshape(-1, 2).sum(axis=1)
    patterns = itertools.product([1, -1], repeat=sums.size)
    expected = np.mean([abs(np.dot(signs, sums)) >= abs(sums.sum()) - 1e-9 for signs in patterns])
    result = rerandomise(d)
    assert result.p_value == pytest.approx(expected)
    assert result.sequences == 2 ** (d.size // 2)


def test_it_agrees_with_scipys_permutation_test():
    d = np.random.default_rng(4).standard_normal(12) + 0.4
    sums = d.reshape(-1, 2).sum(axis=1)
    oracle = stats.permutation_test((sums,), np.mean, permutation_type="samples", n_resamples=10_000)
    assert rerandomise(d).p_value == pytest.approx(oracle.pvalue)


def test_long_runs_are_counted_exactly_too():
    """40 couples are 2^40 patterns: where all sums are alike, the p-value is binomial."""
    audit = rerandomise(np.concatenate([np.full(60, 1.0), np.full(20, -1.0)]))
    assert audit.p_value == pytest.approx(2 * stats.binom.sf(29, 40, 0.5))
    assert audit.sequences == 2**40


def test_it_says_what_it_could_have_shown():
    audit = rerandomise(np.full(12, 0.1))
    assert audit.p_value == audit.smallest_attainable == 2 / 64
    assert not audit.could_reject(0.01)
    assert audit.could_reject(0.05)


def test_it_is_silent_where_it_cannot_speak():
    assert rerandomise(np.array([0.1])) is None
    assert rerandomise(np.array([0.1, math.nan])) is None
    assert rerandomise(np.zeros(82)) is None


def test_the_one_bad_generation_is_named_and_kept():
    d = 0.01 * np.random.default_rng(5).standard_normal(12) + 0.02
    d[7] += 1.0
    found = influence(d, ORDER)
    assert found.generation == 7
    assert found.low < 0.03 < found.high
    assert found.winsorised == pytest.approx(0.02, abs=0.02)
    assert found.winsorised_p < 0.01


def test_left_out_estimates_are_those_of_regression_without_that_generation():
    d = np.random.default_rng(6).standard_normal(12)
    without = [stats.linregress(np.delete(ORDER, i), np.delete(d, i)).intercept for i in range(12)]
    found = influence(d, ORDER)
    assert (found.low, found.high) == (pytest.approx(min(without)), pytest.approx(max(without)))


def test_pulling_in_extremes_does_not_cry_wolf():
    """3,000 runs of 10 generations without effect: p <= 0.05 at most 5% + 4 SE of the time."""
    rng = np.random.default_rng(7)
    alarms = sum(influence(d, ORDER[:10]).winsorised_p <= 0.05 for d in rng.standard_normal((1_500, 10)))
    assert alarms / 1_500 <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / 1_500)


def test_few_generations_are_not_pulled_in():
    assert math.isnan(influence(np.arange(6.0), ORDER[:6]).winsorised)
    with pytest.raises(MeasurementError, match="3 generations"):
        influence(np.arange(3.0), ORDER[:3])


@given(st.lists(st.floats(0, 1), max_size=30).map(np.array))
def test_false_discovery_rates_are_scipys(p):
    if p.size:
        assert benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p))
    else:
        assert benjamini_hochberg(p).size == 0


def test_an_unavailable_diagnostic_does_not_count():
    adjusted = benjamini_hochberg(np.array([0.01, math.nan, 0.02]))
    assert adjusted[[0, 2]] == pytest.approx([0.02, 0.02])
    assert math.isnan(adjusted[1])
