import math

import numpy as np
import pytest
from scipy import stats

from loadstone.stats.gaps import check_gaps


def test_the_statistic_is_scipys_paired_t():
    rng = np.random.default_rng(1)
    with_gaps, without = rng.standard_normal(12), rng.standard_normal(12) + 1
    oracle = stats.ttest_rel(without, with_gaps)
    check = check_gaps(with_gaps, without, 0.02)
    assert (check.statistic, check.p_value, check.df) == (
        pytest.approx(oracle.statistic),
        pytest.approx(oracle.pvalue),
        11,
    )


def test_deferred_work_is_found():
    """Of two equal servers one defers its work: called 24% faster without gaps."""
    rng = np.random.default_rng(2)
    with_gaps = 0.01 * rng.standard_normal(8)
    check = check_gaps(with_gaps, with_gaps - 0.27 + 0.005 * rng.standard_normal(8), 0.02)
    assert check.differs
    assert check.difference == pytest.approx(-0.27, abs=0.01)


def test_a_difference_that_is_sure_but_small_does_not_count():
    noise = 1e-4 * np.array([1.0, -1, 1, -1, 1, -1])
    below_margin = check_gaps(np.zeros(6), 0.01 + noise, 0.02)
    assert below_margin.p_value < 1e-6
    assert not below_margin.differs
    assert not check_gaps(np.full(6, -1.0), -0.8 + noise, 0.02).differs
    assert check_gaps(np.full(6, -1.0), -0.7 + noise, 0.02).differs


def test_it_cries_wolf_no_more_often_than_stated():
    """10,000 runs without any difference, margin 0 so that size never saves it: at most 0.001 + 4 SE."""
    rng = np.random.default_rng(3)
    alarms = sum(check_gaps(row[:8], row[8:], 0.0).differs for row in rng.standard_normal((10_000, 16)))
    assert alarms / 10_000 <= 0.001 + 4 * math.sqrt(0.001 / 10_000)


def test_without_data_it_says_nothing():
    check = check_gaps(np.array([0.0, math.nan, 0.1]), np.zeros(3), 0.02)
    assert not check.differs
    assert math.isnan(check.p_value)
