"""Pairs tell how much d_g varies at the least: a lucky residual SD is not believed."""

import numpy as np
import pytest
from runs import Truth, make_plan, make_run

from loadstone.stats.inference import fit
from loadstone.verdict.levels import gather
from loadstone.verdict.metrics import BY_NAME
from loadstone.verdict.within import within_variances

PLAN = make_plan(12)
MEAN = BY_NAME["latency_mean"]


def observed(**truth):
    return gather(2, make_run(PLAN, Truth(noise=0.0, **truth)))


def test_it_is_the_variance_that_pairs_alone_make():
    """Each side of a pair varies by 5% on its own, of 540 pairs without gaps: 0.0707^2 / 540."""
    found = within_variances(observed(pairs=600), MEAN, None, 1)
    assert np.sqrt(found.mean()) == pytest.approx(0.05 * np.sqrt(2 / 540), rel=0.15)


def test_an_endpoint_with_fewer_pairs_varies_more():
    seen = observed(pairs=600)
    whole, part = (within_variances(seen, MEAN, endpoint, 1).mean() for endpoint in (None, 0))
    assert 1.3 * whole < part < 3.0 * whole  # each has a relative SD of 14%, and half the pairs make 2


def test_nothing_is_known_of_quantiles_or_of_a_handful_of_pairs():
    assert not within_variances(observed(), BY_NAME["latency_p95"], None, 1).any()
    assert not within_variances(observed(pairs=15), MEAN, None, 1).any()


def test_a_floor_only_widens():
    rng = np.random.default_rng(1)
    s = np.tile([1.0, -1.0], 6)
    for _ in range(200):
        d = 0.01 * rng.standard_normal(12)
        plain, floored = fit(d, s), fit(d, s, least_variance=0.01**2)
        assert floored.estimate == plain.estimate
        assert floored.p_value >= plain.p_value
        assert floored.interval(0.01)[0] <= plain.interval(0.01)[0]
        assert floored.residual_sd >= 0.01


def test_alarms_become_fewer_where_starts_are_alike():
    """4,000 experiments of 6 generations at p <= 0.01: about 1% without the floor, less than half with it."""
    rng = np.random.default_rng(2)
    s = np.tile([1.0, -1.0], 3)
    drawn = rng.standard_normal((4000, 6))
    plain = sum(fit(d, s).p_value <= 0.01 for d in drawn)
    floored = sum(fit(d, s, least_variance=1.0).p_value <= 0.01 for d in drawn)
    assert 20 <= plain <= 62  # binomial(4000, 0.01): outside once in 10,000 times
    assert floored < plain / 2
