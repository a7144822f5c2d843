"""Counts of samples differ by chance, and only beyond that are they told as changed."""

import numpy as np
import pytest

from loadstone.stats.sampling import beyond_chance


@pytest.mark.parametrize("mean", [2, 20, 400])
def test_two_functions_that_cost_the_same_are_seldom_told_apart(mean):
    """At three standard errors about 0.3% of 4,000 draws; 1% is never reached with this seed."""
    draws = np.random.default_rng(1).poisson(mean, (4000, 2))
    assert np.mean([beyond_chance(int(a), int(b), 1.0, 1.0) for a, b in draws]) < 0.01


def test_what_a_sample_stands_for_decides_and_not_the_count():
    """400 samples of 1 µs and 100 of 4 µs are the same cost."""
    assert not beyond_chance(400, 100, 1.0, 4.0)
    assert beyond_chance(400, 400, 1.0, 4.0)


def test_a_single_sample_is_no_news_and_fifty_are():
    assert not beyond_chance(0, 1, 1.0, 1.0)
    assert beyond_chance(0, 50, 1.0, 1.0)
