"""Change points: found where they were planted, and seldom where there are none."""

import numpy as np
import pytest
from scipy import stats

from loadstone.stats.changes import change_points


def test_two_planted_changes_are_found_where_they_are():
    noise = np.random.default_rng(1).normal(0.0, 0.01, 200)
    series = noise + np.where(np.arange(200) >= 70, 0.04, 0.0) + np.where(np.arange(200) >= 140, -0.03, 0.0)
    first, second = change_points(series)
    assert abs(first.index - 70) <= 1
    assert abs(second.index - 140) <= 1
    assert first.low < 0.04 < first.high
    assert second.low < -0.03 < second.high


@pytest.mark.parametrize("count", [10, 40, 120])
def test_a_series_without_a_change_seldom_shows_one(count):
    """300 series of normal noise at 5%: more than 24 alarms would be chance in one of a hundred tests."""
    draw = np.random.default_rng(2)
    alarms = sum(bool(change_points(draw.normal(0.0, 1.0, count), alpha=0.05)) for _ in range(300))
    assert alarms <= stats.binom.ppf(0.99, 300, 0.05)


def test_a_single_outlier_is_no_level():
    series = np.random.default_rng(3).normal(0.0, 0.01, 60)
    series[30] += 0.2
    assert change_points(series) == []


def test_the_end_of_a_series_needs_a_few_runs_before_it_tells():
    series = np.concatenate([np.zeros(30), np.full(3, 0.5)]) + np.random.default_rng(4).normal(0, 0.01, 33)
    assert change_points(series[:32]) == [] or change_points(series[:32])[0].index <= 32
    longer = np.concatenate([series, 0.5 + np.random.default_rng(5).normal(0, 0.01, 4)])
    assert [one.index for one in change_points(longer)] == [30]


def test_counts_change_where_they_change():
    found = change_points(np.array([2.0] * 5 + [3.0] * 5 + [2.0] * 3), counted=True)
    assert [(one.index, one.change) for one in found] == [(5, 1.0), (10, -1.0)]


def test_a_share_that_is_nearly_always_zero_is_no_count():
    series = np.zeros(60)
    series[[7, 31, 52]] = 0.001
    assert change_points(series) == []


@pytest.mark.parametrize("series", [[], [1.0], [1.0, 2.0, 1.5], [1.0] * 3 + [9.0] * 4])
def test_few_runs_tell_nothing(series):
    assert change_points(np.array(series)) == []
