import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadstone.record.histogram import BUCKETS, LARGEST_US, Histogram, bucket_of, edges_us

times = st.lists(st.integers(0, LARGEST_US), min_size=1, max_size=200)


def bucket(value):
    return int(bucket_of(np.array([value]))[0])


@given(st.integers(0, LARGEST_US))
def test_a_time_lies_in_its_bucket_whose_middle_is_within_four_thousandths(value):
    low, high = edges_us(bucket(value))
    assert low <= value < high
    if value >= 128:  # below, a microsecond is the resolution of what is recorded
        middle = (low + high) / 2
        assert max(abs(middle - low) / low, abs(high - middle) / low) <= 0.004


def test_buckets_follow_each_other_without_a_gap():
    edges = [edges_us(number) for number in range(BUCKETS)]
    assert edges[0][0] == 0
    assert all(one[1] == following[0] for one, following in itertools.pairwise(edges))
    assert edges[-1][1] == LARGEST_US + 1


@given(times, times)
def test_sums_are_what_recording_everything_at_once_gives(some, others):
    assert Histogram.of(some) + Histogram.of(others) == Histogram.of(some + others)


@given(times, st.floats(0, 1))
def test_the_quantile_is_bounded_by_its_bucket(values, q):
    truth = sorted(values)[max(1, math.ceil(round(q * len(values), 9))) - 1]
    found = Histogram.of(values).quantile(q)
    assert found.low_us <= truth <= found.high_us
    assert found.low_us <= found.value_us <= found.high_us


def test_a_quantile_among_timeouts_has_no_upper_bound():
    answered, censored = Histogram.of([1000] * 98), Histogram.of([5_000_000] * 2)
    assert answered.quantile(0.98, censored).high_us < 1010
    late = answered.quantile(0.99, censored)
    assert late.high_us == math.inf
    assert late.value_us == late.low_us == pytest.approx(5_000_000, rel=0.008)


def test_a_timeout_shorter_than_an_answer_may_stand_anywhere_above_it():
    found = Histogram.of([10_000] * 10).quantile(0.9, Histogram.of([1_000] * 10))
    assert found.low_us == pytest.approx(10_000, rel=0.008)
    assert found.high_us == math.inf


@given(times)
def test_mean_and_maximum_are_exact(values):
    histogram = Histogram.of(values)
    assert histogram.mean_us == sum(values) / len(values)
    assert histogram.max_us == max(values)
    assert histogram.total == len(values)


@given(times, st.integers(0, LARGEST_US))
def test_what_is_above_a_limit_is_bounded_on_both_sides(values, limit):
    sure, possible = Histogram.of(values).above(limit)
    assert sure <= sum(value > limit for value in values) <= possible


def test_times_out_of_range_are_counted_at_its_ends():
    assert Histogram.of([-5, LARGEST_US * 4]) == Histogram.of([0, LARGEST_US])


def test_nothing_recorded_is_not_zero():
    found = Histogram.empty().quantile(0.5)
    assert math.isnan(found.low_us)
    assert math.isnan(found.value_us)
    assert math.isnan(Histogram.empty().mean_us)
