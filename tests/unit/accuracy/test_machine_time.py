"""Statistical tests here fix their seed and state how often they would fail for another one."""

import math

import machine_time
import numpy as np
import pytest
from machine_time import Aim, InPlace
from noisy_units import make_runs, make_units
from rivals import Units
from scipy import stats


@pytest.mark.parametrize("sd", [0.005, 0.02])
def test_so_many_units_have_the_power_and_one_fewer_has_not(sd):
    """20,000 simulated t tests at 1%: within 4 standard errors of 95%."""
    aim = Aim(effect=0.01, power=0.95, alpha=0.01)
    count = machine_time.units_needed(sd, aim)
    rng = np.random.default_rng(5)
    for n, least in ((count, 0.95), (count - 1, 0.0)):
        d = rng.normal(aim.shift, sd, (20_000, n))
        rate = float((stats.ttest_1samp(d, 0.0, axis=1).pvalue < 0.01).mean())
        assert rate >= least - 4 * math.sqrt(0.05 / 20_000)
    assert rate < 0.95 + 4 * math.sqrt(0.05 / 20_000)


def test_for_many_units_the_known_formula_of_the_z_test():
    """N = ((z(.995) + z(.95)) sd / effect)^2: 17.81 sd^2 / effect^2."""
    needed = machine_time.units_needed(0.2, Aim())
    assert needed == pytest.approx(17.814 * (0.2 / math.log(1.01)) ** 2, rel=0.001)


def test_repeating_a_whole_costs_its_machine_time():
    units = make_units(400, host=0.1)
    need = machine_time.repeated(units, Aim())
    sd = units.contrasts.std(ddof=1)
    assert need.seconds == pytest.approx(machine_time.units_needed(sd, Aim()) * 126.0)
    assert machine_time.best_repeated([units, make_units(400, block_s=5.0)], Aim()).block_s == 5.0


def test_longer_blocks_do_not_lower_the_floor():
    """Variance 5%^2 + 20%^2 / seconds, 3,000 pairs a length: the fit finds both within a tenth or so."""
    rng = np.random.default_rng(6)
    lengths = []
    for block_s in (5.0, 20.0, 60.0):
        d = rng.normal(0, math.sqrt(0.05**2 + 0.2**2 / block_s), 3_000)
        means = 7_000.0 * np.exp(np.stack([-d / 2, d / 2], axis=1))
        lengths.append(Units(block_s, np.full(3_000, 2 * block_s), means, means[:, :, None]))
    fitted = machine_time.in_place(lengths)
    assert math.sqrt(fitted.floor) == pytest.approx(0.05, rel=0.1)
    assert math.sqrt(fitted.within) == pytest.approx(0.2, rel=0.1)
    assert math.isinf(fitted.need(Aim(), 6.0).seconds)


def test_without_a_floor_blocks_can_be_long_enough():
    aim = Aim()
    need = InPlace(floor=0.0, within=0.1**2).need(aim, 6.0)
    assert math.sqrt(0.1**2 / need.block_s) == pytest.approx(aim.standard_error)
    assert need.seconds == pytest.approx(2 * need.block_s + 6.0)


def test_loadstone_needs_as_many_generations_as_its_last_look_has_power():
    runs = make_runs(40, sd=0.008)
    need = machine_time.loadstone_need(runs, Aim())
    assert need.units % 2 == 0
    assert need.seconds == pytest.approx(need.units * 15.0)
    assert 12 <= need.units <= 20
    assert machine_time.loadstone_need(runs, Aim(alpha=0.002)).units > need.units
    assert machine_time.seconds_to_call(runs, Aim()) < need.seconds


def test_beyond_a_hundred_generations_loadstone_is_extrapolated_too():
    """A fixed sample needs 17.8 (5% / 0.995%)^2 = 450, and looks cost a few percent more."""
    runs = make_runs(40, sd=0.05)
    fixed = machine_time.units_needed(runs.residual_sd, Aim())
    assert fixed < machine_time.loadstone_need(runs, Aim()).units < 1.1 * fixed


def test_intervals_hold_infinite_times():
    low, high = machine_time.interval(np.array([1.0] * 50 + [math.inf] * 50))
    assert (low, high) == (1.0, math.inf)
