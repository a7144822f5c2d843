import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadstone.errors import MeasurementError
from loadstone.stats.scalability import fit_scalability, processes_for

SIZES = np.array([1.0, 2.0, 4.0, 8.0, 8.0])


def law(n, rate, sigma, kappa):
    """Written out independently of the module."""
    return rate * n / (1 + sigma * (n - 1) + kappa * n * (n - 1))


@settings(max_examples=15, deadline=None)
@given(st.floats(1, 5000), st.floats(0, 0.6), st.floats(0, 0.02))
def test_exact_throughput_gives_back_the_law(rate, sigma, kappa):
    fitted = fit_scalability(SIZES, law(SIZES, rate, sigma, kappa), 1)
    assert fitted.rate_one == pytest.approx(rate, rel=1e-3)
    assert fitted.contention == pytest.approx(sigma, abs=2e-3)
    assert fitted.coherency == pytest.approx(kappa, abs=3e-4)


def test_a_server_that_scales_perfectly_needs_as_many_processes_as_it_says():
    fitted = fit_scalability(SIZES, 100 * SIZES, 1)
    found = processes_for(fitted, 500, measured=8)
    assert (found.needed, found.low, found.high, found.extrapolated) == (5, 5, 5, False)
    assert processes_for(fitted, 5000, measured=8).extrapolated


def test_beyond_the_peak_no_number_of_processes_suffices():
    fitted = fit_scalability(SIZES, law(SIZES, 100, 0.1, 0.02), 1)
    assert fitted.peak_processes == pytest.approx(math.sqrt(0.9 / 0.02), rel=0.01)
    peak = float(fitted.throughput(np.array([round(fitted.peak_processes)]))[0])
    assert processes_for(fitted, 0.99 * peak, measured=8).needed is not None
    found = processes_for(fitted, 1.1 * peak, measured=8)
    assert (found.needed, found.low, found.high, found.attainable) == (None, None, None, 0.0)


@settings(max_examples=15, deadline=None)
@given(st.floats(0, 0.3), st.floats(0, 0.01), st.integers(1, 12))
def test_the_answer_is_the_smallest_number_that_reaches_the_rate(sigma, kappa, n):
    fitted = fit_scalability(SIZES, law(SIZES, 100, sigma, kappa), 1)
    rps = float(fitted.throughput(np.array([float(n)]))[0])
    brute = next(m for m in range(1, 60) if law(m, *fitted.best) >= rps * (1 - 1e-9))
    assert processes_for(fitted, rps, measured=8).needed == brute


def test_intervals_cover_the_truth_as_often_as_they_say():
    """60 noisy runs (2%), 95% intervals: fewer than 50 covered has probability < 0.1%."""
    rng = np.random.default_rng(8)
    sizes = np.repeat([1.0, 2.0, 3.0, 4.0], 2)
    covered = 0
    for index in range(60):
        noisy = law(sizes, 120, 0.08, 0.004) * np.exp(0.02 * rng.normal(size=sizes.size))
        low, high = fit_scalability(sizes, noisy, index).throughput_interval(4.0)
        covered += low <= law(4.0, 120, 0.08, 0.004) <= high
    assert covered >= 50


def test_the_same_parts_give_the_same_draws():
    noisy = law(SIZES, 100, 0.1, 0.01) * np.array([1.01, 0.99, 1.02, 0.98, 1.0])
    one, same, other = (fit_scalability(SIZES, noisy, seed).draws for seed in (1, 1, 2))
    assert (one == same).all()
    assert not (one == other).all()


@pytest.mark.parametrize(
    ("sizes", "throughput"),
    [
        ([1, 2, 4], [1, 2, 3]),
        ([1, 2, 2, 2], [1, 2, 2, 2]),
        ([1, 2, 4, 8], [1, 2, 0, 4]),
        ([0, 2, 4, 8], [1, 2, 3, 4]),
        ([1, 2, 4, 8], [1, 2, 3, math.nan]),
    ],
)
def test_too_little_is_refused(sizes, throughput):
    with pytest.raises(MeasurementError):
        fit_scalability(np.array(sizes, dtype=float), np.array(throughput, dtype=float))
