"""A known extra cost: spun after every good answer, counted on one side alone, told to the nanosecond."""

import time

import pytest

from loadstone.workload.observation import Observation
from loadstone.workload.spin import LONGEST_NS, Spin


def answered(spin, *, well=True):
    observation = Observation(spin=spin, start_ns=time.perf_counter_ns() - 1_000_000)
    observation.answered(well=well)
    return observation


def test_what_counts_is_at_least_the_share_of_the_service_time():
    observation = answered(Spin(0.05, counts=True))
    unspun_ns = observation.end_ns - observation.spike_ns - observation.start_ns
    assert unspun_ns >= 1_000_000
    assert observation.spike_ns >= 0.05 * unspun_ns - 1


def test_elsewhere_the_same_spin_does_not_count():
    observation = answered(Spin(0.05, counts=False))
    assert observation.spike_ns == 0
    assert (
        time.perf_counter_ns() - observation.end_ns >= 0.05 * (observation.end_ns - observation.start_ns) - 1
    )


def test_a_bad_answer_is_not_spun():
    """A timeout stays at its limit, and a failure is no faster or slower for it."""
    assert answered(Spin(0.05, counts=True), well=False).spike_ns == 0


@pytest.mark.parametrize("spin", [None, Spin(0.05, counts=True)])
def test_the_first_answer_counts(spin):
    observation = answered(spin)
    end_ns, spike_ns = observation.end_ns, observation.spike_ns
    observation.answered(well=True)
    assert (observation.end_ns, observation.spike_ns) == (end_ns, spike_ns)


def test_no_spin_outgrows_what_a_chunk_can_hold():
    """Asked from so long ago that the time is over already, so that the test does not wait for it."""
    begun = time.perf_counter_ns() - LONGEST_NS - 1_000_000_000
    spun = Spin(1.0, counts=True).after(10**15, begun)
    assert LONGEST_NS <= spun < 2**32
