import numpy as np
import pytest
from judging import Rule, anytime_rule, judge, running_fits, start_contrasts

from loadstone.stats.anytime import confidence_sequence
from loadstone.stats.inference import fit


@pytest.mark.parametrize("modelled", [True, False])
def test_running_fits_are_those_of_each_prefix(modelled):
    rng = np.random.default_rng(1)
    s = start_contrasts(rng, 5, 12)
    d = 0.01 * s + 0.004 * rng.standard_normal(s.shape)
    fits = running_fits(d, s if modelled else None)
    for i in range(5):
        for count in range(3, 13):
            one = fit(d[i, :count], s[i, :count] if modelled else None)
            assert fits.estimate[i, count - 1] == pytest.approx(one.estimate, rel=1e-9)
            assert fits.se[i, count - 1] == pytest.approx(one.se, rel=1e-9)
    assert np.isnan(fits.se[:, :2]).all()


def test_the_anytime_rule_reaches_as_far_as_the_confidence_sequence():
    rng = np.random.default_rng(2)
    s = start_contrasts(rng, 1, 20)
    d = rng.standard_normal(s.shape)
    rule, fits = anytime_rule(0.05, 20), running_fits(d, s)
    for look, reach in zip(rule.looks, rule.reach, strict=True):
        low, high = confidence_sequence(fit(d[0, :look], s[0, :look]), 0.05)
        assert reach * fits.se[0, look - 1] == pytest.approx((high - low) / 2, rel=1e-9)


def test_an_experiment_stops_at_its_first_look_with_a_verdict():
    """Three looks; the first experiment is detected at the second, the next equivalent at the first."""
    rule = Rule("by hand", (6, 8, 10), np.array([2.0, 2.0, 2.0]))
    fits = running_fits(np.zeros((3, 10)), None)
    fits.estimate[:] = [[0.0] * 7 + [0.05] * 3, [0.0] * 10, [0.01] * 10]
    fits.se[:] = np.array([[0.02], [0.001], [0.02]])
    outcome = judge(fits, rule, 0.0, 0.005)
    assert outcome.generations.tolist() == [8, 6, 10]
    assert outcome.alarm.tolist() == [True, False, False]
    assert outcome.ever_missed.tolist() == [True, False, False]


def test_an_effect_moves_the_estimate_and_not_the_coverage():
    rng = np.random.default_rng(3)
    s = start_contrasts(rng, 400, 10)
    fits = running_fits(rng.standard_normal(s.shape), s)
    rule = anytime_rule(0.2, 10)
    still, moved = judge(fits, rule, 0.0, 0.0), judge(fits, rule, 3.0, 0.0)
    assert (still.ever_missed == moved.ever_missed).all()
    assert still.alarm.mean() < 0.2 < moved.alarm.mean()
