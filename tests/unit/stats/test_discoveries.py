"""Discoveries among many diagnostics, and intervals that agree with them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from loadstone.stats.discoveries import discover

p_lists = st.lists(st.one_of(st.floats(0, 1), st.floats(0, 1e-3), st.just(float("nan"))), max_size=40)


@given(p_lists.map(np.array), st.floats(1e-4, 0.3))
def test_level_q_value_and_discovery_agree(p, alpha):
    """The three are computed apart: at the level, by adjusted p, by the step-up rule of the paper."""
    found = discover(np.asarray(p, dtype=float), alpha)
    known = ~np.isnan(p) if p.size else np.zeros(0, dtype=bool)
    assert not found.found[~known].any()
    clear = known & (np.abs(found.q_values - alpha) > 1e-12)
    assert (found.found[clear] == (found.q_values[clear] <= alpha)).all()
    assert (found.found[known] == (p[known] <= found.level)).all() or not found.found.any()
    if known.any():
        assert found.q_values[known] == pytest.approx(stats.false_discovery_control(p[known]))


def test_without_a_discovery_no_interval_at_the_level_excludes_zero():
    found = discover(np.array([0.02, 0.5, 0.9]), 0.05)
    assert not found.found.any()
    assert found.level == pytest.approx(0.05 / 3)
    assert found.level < 0.02


def test_more_discoveries_need_less_strict_intervals():
    few = discover(np.array([1e-6, *np.linspace(0.2, 1, 9)]), 0.01)
    many = discover(np.array([*[1e-6] * 5, *np.linspace(0.2, 1, 5)]), 0.01)
    assert few.level == pytest.approx(0.001)
    assert many.level == pytest.approx(0.005)


def test_nothing_to_judge_is_no_discovery():
    assert discover(np.array([]), 0.01).level == 0.01
    assert not discover(np.array([np.nan, np.nan]), 0.01).found.any()


def run_family(rng, effect, rho=0.7, count=40, generations=12):
    """Return p, estimate and se of `count` metrics that share a run's noise, every third turned round."""
    common = rng.standard_normal(generations)
    sign = np.where(np.arange(count) % 3 == 0, -1.0, 1.0)
    noise = np.sqrt(rho) * common + np.sqrt(1 - rho) * rng.standard_normal((count, generations))
    d = effect[:, None] + sign[:, None] * noise
    se = d.std(axis=1, ddof=1) / np.sqrt(generations)
    return 2 * stats.t.sf(np.abs(d.mean(axis=1) / se), generations - 1), d.mean(axis=1), se


def test_false_discoveries_and_missed_truths_are_as_rare_as_stated():
    """3,000 runs of 40 correlated metrics, half with an effect: at most 10% each, + 4 standard errors."""
    rng = np.random.default_rng(31)
    effect = np.where(np.arange(40) < 20, 0.9, 0.0)
    false, missed = [], []
    for _ in range(3_000):
        p, estimate, se = run_family(rng, effect)
        told = discover(p, 0.1)
        chosen = told.found
        half = stats.t.isf(told.level / 2, 11) * se
        covered = np.abs(estimate - effect) <= half
        false.append((chosen & (effect == 0)).sum() / max(1, chosen.sum()))
        missed.append((chosen & ~covered).sum() / max(1, chosen.sum()))
    for share in (np.array(false), np.array(missed)):
        assert share.mean() <= 0.1 + 4 * share.std() / np.sqrt(share.size)
    assert np.mean(false) > 0.01  # the simulation can see false discoveries


def test_without_any_effect_a_run_rarely_tells_one():
    """5,000 runs: any discovery at all is a false one; at most 5% + 4 standard errors."""
    rng = np.random.default_rng(32)
    alarms = [discover(run_family(rng, np.zeros(40))[0], 0.05).found.any() for _ in range(5_000)]
    assert np.mean(alarms) <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / 5_000)


def test_without_adjustment_most_runs_would_tell_one():
    """Negative control: p <= 5% somewhere among 40 happens in far more than 5% of runs."""
    rng = np.random.default_rng(32)
    alarms = [(run_family(rng, np.zeros(40))[0] <= 0.05).any() for _ in range(500)]
    assert np.mean(alarms) > 0.25
