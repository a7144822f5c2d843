"""Rules of judging: intervals and p-values that agree, at whichever look."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadstone.errors import ConfigurationError
from loadstone.stats import boundaries
from loadstone.stats.inference import fit
from loadstone.stats.repeated import Anytime, Exact, shared
from loadstone.stats.sequential import cut_short, plan

LOOKS = (6, 8, 10, 12, 14, 16)
ORDER = np.tile([1.0, -1.0], 8)


def a_fit(generations, seed, shift=0.0):
    return fit(np.random.default_rng(seed).standard_normal(generations) + shift, ORDER[:generations])


@pytest.mark.parametrize("alpha", [0.05, 0.01, 0.0025])
@pytest.mark.parametrize("end", [None, 11, 8])
def test_sharing_over_the_looks_spends_no_more_than_alpha(alpha, end):
    """By the exact joint distribution of t at all looks; and not so much less that it were useless."""
    rule = shared(LOOKS, alpha, end=end)
    spent = boundaries.crossing_probability(rule.looks, tuple(map(rule.nominal_p, rule.looks)))
    assert 0.6 * alpha < spent <= alpha
    assert sum(rule.shares) == pytest.approx(1.0)


def test_the_first_look_may_spend_as_much_as_in_the_exact_design():
    assert shared(LOOKS, 0.01).nominal_p(6) == pytest.approx(plan(LOOKS, 0.01).nominal_p[0], rel=0.01)


def test_a_run_cut_short_has_the_looks_of_the_exact_design():
    for end in range(6, 17):
        assert shared(LOOKS, 0.01, end=end).looks == cut_short(plan(LOOKS, 0.01), end).looks


@given(st.integers(0, 2**32), st.sampled_from(LOOKS), st.floats(-3, 3), st.floats(1e-9, 0.5))
def test_interval_and_p_value_never_disagree(seed, look, shift, alpha):
    result = a_fit(look, seed, shift)
    for rule in (shared(LOOKS, alpha), Anytime(alpha)):
        low, high = rule.interval(result)
        p = rule.p_value(result)
        if abs(p - alpha) > 1e-9 * alpha:
            assert (low > 0 or high < 0) == (p < alpha)
        bar = rule.nominal_p(look)
        if abs(result.p_value - bar) > 1e-9 * bar:
            assert (low > 0 or high < 0) == (result.p_value < bar)


@given(st.integers(0, 2**32), st.floats(1e-6, 0.2))
def test_a_stricter_rule_gives_a_wider_interval(seed, alpha):
    result = a_fit(8, seed)
    for rule in (shared(LOOKS, alpha), Anytime(alpha)):
        low, high = rule.interval(result)
        wide_low, wide_high = rule.at(alpha / 2).interval(result)
        assert wide_low <= low <= high <= wide_high


def test_the_exact_rule_is_the_repeated_interval_of_its_design():
    rule = Exact(plan(LOOKS, 0.0025))
    result = a_fit(8, 3)
    assert rule.interval(result) == result.interval(rule.design.nominal_p[1])
    assert rule.nominal_p(8) == rule.design.nominal_p[1]
    assert rule.nominal_p(40) == rule.design.nominal_p[-1]
    assert rule.alpha == 0.0025


@pytest.mark.parametrize("rule", [Exact(plan(LOOKS, 0.05)), shared(LOOKS, 0.05)])
def test_between_looks_nothing_is_judged(rule):
    with pytest.raises(ConfigurationError, match="no look is due after 7"):
        rule.interval(a_fit(7, 1))


def test_what_is_unavailable_has_no_p_value():
    nothing = fit(np.array([1.0, math.nan, 2, 3, 1, 2]), ORDER[:6])
    assert math.isnan(shared(LOOKS, 0.05).p_value(nothing))
    assert math.isnan(Anytime(0.05).p_value(nothing))


def test_certainty_is_certain_under_every_rule():
    """Without any variance equality is certain, or excluded."""
    for rule in (shared(LOOKS, 1e-9), Anytime(1e-9)):
        assert rule.p_value(fit(np.ones(8), ORDER[:8])) == 0.0
        assert rule.p_value(fit(np.zeros(8), ORDER[:8])) == 1.0


def test_too_few_generations_have_no_bar_at_any_time():
    assert Anytime(1e-9).nominal_p(6) == 0.0
    assert Anytime(0.05).nominal_p(12) > 0.0
