"""Statistical tests here fix their seed and state how often they would fail for another one."""

import numpy as np
import pytest
import rivals
from noisy_units import make_runs, make_units
from rivals import Units, draw, inject, power


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.mark.parametrize("rule", [rivals.welch_rounds, rivals.mann_whitney_rounds])
def test_rounds_within_one_start_hide_what_differs_between_starts(rule, rng):
    """Before-then-after on a moody host: rounds agree with each other, so any two blocks differ."""
    assert power(rule, draw(make_units(200), 1, 2_000, rng), 0.0) > 0.8


@pytest.mark.parametrize(("rule", "meant"), [(rivals.welch_rounds, 0.05), (rivals.mann_whitney_rounds, 0.05)])
def test_on_a_host_that_never_changes_these_tests_keep_their_promise(rule, meant, rng):
    """4,000 pairs of which each was drawn about once: within 5 standard errors."""
    rate = power(rule, draw(make_units(4_000, host=0.0), 1, 4_000, rng), 0.0)
    assert rate == pytest.approx(meant, abs=5 * np.sqrt(meant / 2_000))


def test_a_threshold_calls_what_exceeds_it_and_nothing_else(rng):
    draws = draw(make_units(50, host=0.0, within=1e-4), 1, 500, rng)
    assert power(rivals.threshold(1.10), draws, 0.05) == 0.0
    assert power(rivals.threshold(1.10), draws, 0.11) == 1.0
    assert power(rivals.threshold(2.00), draws, 0.11) == 0.0


def test_an_absolute_threshold_compares_with_another_time(rng):
    still, moody = make_units(50, host=0.0, within=1e-4), make_units(50, host=0.2)
    assert power(rivals.absolute, draw(still, 1, 500, rng), 0.05) == 0.0
    assert power(rivals.absolute, draw(still, 1, 500, rng), 0.12) == 1.0
    assert power(rivals.absolute, draw(moody, 1, 500, rng), 0.0) > 0.1


def test_asv_calls_only_what_is_both_significant_and_larger_than_a_tenth(rng):
    draws = draw(make_units(50, host=0.0), 4, 500, rng)
    assert power(rivals.asv, draws, 0.05) == 0.0
    assert power(rivals.asv, draws, 0.15) == 1.0


def test_starts_as_units_are_independent_where_rounds_are_not(rng):
    """Interleaved restarts with Welch: 12 starts a side, within 5 standard errors of 5% (drawn from 500)."""
    rate = power(rivals.welch_starts, draw(make_units(500), 12, 2_000, rng), 0.0)
    assert rate == pytest.approx(0.05, abs=5 * np.sqrt(0.05 / 2_000))


def test_a_duet_sees_through_what_both_sides_share(rng):
    shared = np.random.default_rng(4).normal(0, 0.3, (60, 1, 1))
    units = make_units(60, host=0.0, start=0.005)
    units = Units(10.0, units.duration_s, units.means * np.exp(shared[:, 0]), units.rounds * np.exp(shared))
    draws = draw(units, 12, 1_000, rng)
    assert power(rivals.paired_starts, draws, 0.02) > 0.99
    assert power(rivals.welch_starts, draws, 0.02) < 0.1


def test_power_counts_calls_in_the_right_direction(rng):
    """A host so moody that half of the significant differences point the wrong way."""
    draws = draw(make_units(400), 1, 2_000, rng)
    assert power(rivals.welch_rounds, draws, 0.001) < 0.6 * power(rivals.welch_rounds, draws, 0.0)


def test_drawing_changes_the_sides_in_half_of_the_experiments(rng):
    means = np.array([[1.0, 3.0]])
    units = Units(5.0, np.array([10.0]), means, np.repeat(means[:, :, None], 10, axis=2))
    drawn = draw(units, 2, 1_000, rng)
    first = drawn.means[:, :, 0]
    assert (first[:, 0] == first[:, 1]).all()
    assert (first[:, 0] == 1.0).mean() == pytest.approx(0.5, abs=0.08)
    assert (drawn.rounds.mean(axis=3) == drawn.means).all()


def test_an_effect_multiplies_after_alone(rng):
    draws = draw(make_units(5), 3, 4, rng)
    moved = inject(draws, 0.05)
    assert np.allclose(moved.means / draws.means, [1.0, 1.05])
    assert np.allclose(moved.rounds[:, :, 1] / draws.rounds[:, :, 1], 1.05)


def test_loadstone_keeps_its_promise_on_generations_drawn_from_real_runs(rng):
    """1% meant: at most 1% + 4 standard errors of 4,000 experiments drawn from 240 couples."""
    calls = rivals.loadstone_power(make_runs(40), 180.0, 0.01, (0.0, 0.01), rng)
    assert calls[0] <= 0.01 + 4 * np.sqrt(0.01 / 4_000)
    assert calls[1] > 0.9


def test_loadstone_says_nothing_within_a_time_too_short_for_its_first_look(rng):
    assert rivals.loadstone_power(make_runs(3), 60.0, 0.01, (0.0,), rng) == []


def test_the_residual_sd_is_pooled_and_free_of_the_start_effect():
    """80 runs of 12: the SD of 0.5% is known to 2%; 5 standard errors."""
    runs = make_runs(80, sd=0.005, start=0.05)
    assert runs.residual_sd == pytest.approx(0.005, rel=5 / np.sqrt(2 * 800))
    assert runs.turn_s == 15.0


def test_stored_rows_become_units():
    side = {"capped_mean_us": 5.0, "rounds_us": [5.0] * 10}
    row = {"scheme": "restarts", "block_s": 5.0, "duration_s": 16.0, "sides": [side, side]}
    other = {**row, "block_s": 20.0}
    run = {"scheme": "loadstone", "d": [0.0, 0.1], "s": [1, -1], "duration_s": 9.0, "detected": ["cpu"]}
    units = rivals.units_of([row, other, run, row], "restarts", 5.0)
    assert units.means.shape == (2, 2)
    assert units.rounds.shape == (2, 2, 10)
    runs = rivals.runs_of([row, run, {**run, "d": [float("nan"), 0.1]}])
    assert len(runs.d) == 1
    assert runs.alarms == 1
