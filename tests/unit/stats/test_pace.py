"""Adjusting for the pace of the machine: exact where the model holds, harmless where it does not."""

import numpy as np
import pytest

from loadstone.stats.pace import at_pace, explained, pace_slope


def made_up(slope: float, effect: float = 0.0, n: int = 4000, seed: int = 1):
    """Return log ratios and pace differences of pairs on a host of changing pace."""
    rng = np.random.default_rng(seed)
    pace = 0.2 * rng.standard_normal(n)
    return effect + slope * pace + 0.05 * rng.standard_normal(n), pace


@pytest.mark.parametrize("slope", [0.0, 0.4, 1.0])
def test_the_slope_is_found(slope):
    assert pace_slope(*made_up(slope)) == pytest.approx(slope, abs=0.02)


def test_an_effect_of_the_variants_does_not_change_the_slope():
    assert pace_slope(*made_up(0.7, effect=1.0)) == pytest.approx(pace_slope(*made_up(0.7)), abs=1e-12)


def test_a_slope_that_makes_no_sense_is_held_in_bounds():
    assert pace_slope(*made_up(-0.5)) == 0.0
    assert pace_slope(*made_up(2.5)) == 1.5


def test_few_pairs_or_an_even_pace_adjust_nothing():
    log_ratio, pace = made_up(1.0, n=49)
    assert pace_slope(log_ratio, pace) == 0.0
    assert pace_slope(made_up(1.0)[0], np.full(4000, 9.8)) == 0.0
    assert pace_slope(np.full(100, np.nan), np.full(100, np.nan)) == 0.0


def test_values_come_to_the_reference_pace():
    value = np.array([100.0, 200.0, 300.0])
    pace = np.array([0.0, np.log(2.0), np.nan])
    np.testing.assert_allclose(at_pace(value, pace, 0.0, 1.0), [100.0, 100.0, 300.0])
    np.testing.assert_allclose(at_pace(value, pace, 0.0, 0.0), value)


def test_the_explained_share_is_that_of_the_variance():
    log_ratio, pace = made_up(1.0)
    expected = 1.0 - 0.05**2 / (0.05**2 + 0.2**2)
    assert explained(log_ratio, pace, 1.0) == pytest.approx(expected, abs=0.01)
    assert explained(log_ratio, pace, 0.0) == 0.0
