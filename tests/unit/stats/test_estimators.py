import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from loadstone.errors import MeasurementError
from loadstone.stats import estimators
from loadstone.stats.estimators import (
    capped_mean,
    overall_capped_mean,
    pairs_needed,
    per_request,
    pooled_cap,
    quantile,
    quantile_available,
    quantiles,
    with_censored,
)

latencies = arrays.arrays(np.int32, st.integers(1, 60), elements=st.integers(1, 10_000_000))


def us(*values):
    return np.array(values, dtype=np.int32)


def test_a_stall_counts_only_up_to_the_cap():
    assert capped_mean(us(100, 200, 1_000_000), 300.0) == pytest.approx(200.0)


def test_the_mean_of_large_latencies_does_not_overflow():
    assert capped_mean(np.full(10_000, 2_000_000_000, dtype=np.int32), 3e9) == 2e9


def test_the_cap_is_blind_to_which_variant_a_latency_came_from():
    before, after = us(1, 2, 3), us(10, 20, 30)
    assert pooled_cap([before, after]) == pooled_cap([after, before]) == pooled_cap([us(1, 10, 2, 20, 3, 30)])


def test_the_overall_mean_caps_each_endpoint_at_its_own_cap():
    latency, endpoint = us(100, 900, 5_000, 9_000), np.array([0, 0, 1, 1])
    caps = np.array([500.0, 6_000.0])
    assert overall_capped_mean(latency, endpoint, caps) == pytest.approx((100 + 500 + 5_000 + 6_000) / 4)


def test_nothing_measured_is_unavailable_and_not_zero():
    nothing = us()
    values = [quantile(nothing, 0.5), capped_mean(nothing, 10.0), pooled_cap([]), per_request(1.0, 0)]
    values += [
        overall_capped_mean(nothing, np.array([], dtype=int), np.array([1.0])),
        capped_mean(us(1), math.nan),
    ]
    assert all(math.isnan(value) for value in values)


@given(latencies, st.floats(0.0, 1.0))
def test_a_quantile_is_hyndman_and_fan_type_8(latency, q):
    """The closed form of the definition: x at h = (n + 1/3) q + 1/3, interpolated, clamped to the data."""
    ordered = np.sort(latency).astype(float)
    h = (ordered.size + 1 / 3) * q + 1 / 3
    expected = np.interp(h, np.arange(1, ordered.size + 1), ordered)
    assert quantile(latency, q) == pytest.approx(expected, rel=1e-9)
    assert estimators.QUANTILE_METHOD == "median_unbiased"


@given(latencies, st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_quantiles_grow_with_q(latency, one, other):
    low, high = sorted((one, other))
    assert quantile(latency, low) <= quantile(latency, high) * (1 + 1e-12)


@given(latencies, st.data())
def test_no_quantile_falls_when_a_latency_grows(latency, data):
    i = data.draw(st.integers(0, latency.size - 1))
    slower = latency.copy()
    slower[i] += data.draw(st.integers(1, 1_000_000))
    for q in (0.1, 0.5, 0.99):
        assert quantile(slower, q) >= quantile(latency, q) * (1 - 1e-12)


def test_a_quantile_is_available_once_20_observations_lie_beyond_it():
    assert [pairs_needed(q) for q in (0.5, 0.9, 0.95, 0.99, 0.999)] == [40, 200, 400, 2_000, 20_000]
    assert quantile_available(2_000, 0.99)
    assert not quantile_available(1_999, 0.99)


def test_the_maximum_is_never_available():
    with pytest.raises(MeasurementError, match=r"1\.0"):
        pairs_needed(1.0)


def test_a_timeout_enters_at_its_limit_and_is_not_dropped():
    placed = with_censored(us(100, 7, 3_000_050), np.array([False, True, False]), 3_000_000)
    assert placed.tolist() == [100, 3_000_000, 3_000_000]


def test_a_quantile_that_only_timeouts_reach_is_unavailable():
    latency = with_censored(us(*range(1, 101)), np.arange(100) >= 90, 5_000)
    assert quantile(latency, 0.5, limit_us=5_000) == pytest.approx(50.5)
    assert math.isnan(quantile(latency, 0.95, limit_us=5_000))


def test_marks_must_match_latencies():
    with pytest.raises(MeasurementError, match="2 latencies came with 1"):
        with_censored(us(1, 2), np.array([True]), 10)


def test_cpu_is_shared_out_over_requests():
    assert per_request(1.5, 300) == pytest.approx(0.005)


def test_many_quantiles_at_once_are_those_one_by_one_to_the_last_bit():
    latencies = np.random.default_rng(3).lognormal(9, 0.6, 5_001).astype(np.int32)
    grid = [0.0, 0.001, *(step / 100 for step in range(1, 100)), 0.995, 0.9999]
    assert quantiles(latencies, grid) == [quantile(latencies, q) for q in grid]
    assert all(math.isnan(one) for one in quantiles(np.empty(0), [0.5, 0.9]))
