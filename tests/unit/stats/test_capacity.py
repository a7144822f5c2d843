import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadstone.errors import ConfigurationError, MeasurementError
from loadstone.stats.capacity import (
    MOST_INVALID,
    MOST_TRIES,
    RESOLUTION,
    Limit,
    Search,
    Trial,
    combine_searches,
    knee,
    start_rate,
)


def run(search: Search, trial) -> Search:
    while search.next_rps is not None:
        search.report(trial(search.next_rps))
    return search


def server(capacity: float, unsendable: float = math.inf):
    """Return a synthetic server that keeps the objective up to `capacity`, and a generator's limit."""

    def trial(rps: float) -> Trial:
        if rps > unsendable:
            return Trial.INVALID
        return Trial.KEPT if rps <= capacity else Trial.BROKEN

    return trial


def noisy(capacity: float, spread: float, rng):
    """Return a server whose objective breaks at a slightly different rate in every window."""
    return lambda rps: Trial.KEPT if rps <= capacity * math.exp(spread * rng.normal()) else Trial.BROKEN


@given(st.floats(2, 9e5), st.floats(1, 1e6))
def test_a_search_finds_the_capacity_of_any_steady_server(capacity, start):
    search = run(Search(start), server(capacity))
    kept, broken = search.bracket
    assert kept <= capacity < broken
    assert search.limit is Limit.OBJECTIVE
    assert search.capacity_rps == pytest.approx(capacity, rel=RESOLUTION)
    assert len(search.tried) < MOST_TRIES


@given(st.floats(2, 1e4), st.floats(2, 1e4), st.floats(1, 1e4))
def test_what_the_generator_cannot_send_is_never_taken_for_the_servers_limit(capacity, unsendable, start):
    search = run(Search(start), server(capacity, unsendable))
    kept, broken = search.bracket
    assert kept <= min(capacity, unsendable)
    assert broken > capacity
    assert search.limit is (Limit.OBJECTIVE if broken <= unsendable else Limit.GENERATOR)


def test_an_invalid_window_is_tried_again_and_changes_nothing_by_itself():
    search = Search(100)
    for _ in range(MOST_INVALID - 1):
        search.report(Trial.INVALID)
        assert search.next_rps == 100
    search.report(Trial.KEPT)
    assert search.next_rps == 200
    assert search.bracket == (100, math.inf)


def test_the_ends_of_the_range_are_told():
    assert run(Search(100, most_rps=1000), server(1e9)).limit is Limit.CEILING
    low = run(Search(100, least_rps=10), server(0))
    assert (low.limit, low.capacity_rps) == (Limit.FLOOR, 0.0)


@pytest.mark.parametrize("start", [0, 0.5, 2e6])
def test_a_search_begins_within_its_range(start):
    with pytest.raises(ConfigurationError, match="no search begins"):
        Search(start)


def test_starts_differ_within_a_factor_of_two_and_repeat_with_the_seed():
    starts = [start_rate(100, 1, search) for search in range(200)]
    assert len(set(starts)) == 200
    assert all(100 / 2**0.5 <= start <= 100 * 2**0.5 for start in starts)
    assert start_rate(100, 1, 3) == starts[3]


def test_the_interval_over_searches_covers_a_noisy_servers_capacity():
    """300 runs of 4 searches at 95%: fewer than 92% covered has probability below 1% at true coverage.

    A search of a noisy server asks near the capacity again and again, so its result is
    centred there; the window's noise (3%) is larger than the rounding.
    """
    rng = np.random.default_rng(4)
    covered = 0
    for index in range(300):
        searches = [run(Search(start_rate(150, index, part)), noisy(400, 0.03, rng)) for part in range(4)]
        found = combine_searches(searches)
        covered += found.low_rps <= 400 <= found.high_rps
    assert covered / 300 >= 0.92


def test_two_capacities_of_one_noisy_server_agree_within_a_tenth():
    """200 couples of 3 searches each, 3% noise: a couple that differs by 10% is 5 SD away."""
    rng = np.random.default_rng(5)
    for index in range(200):
        one, other = (
            combine_searches(
                [run(Search(start_rate(150, index, side, part)), noisy(400, 0.03, rng)) for part in range(3)]
            )
            for side in range(2)
        )
        assert one.rps == pytest.approx(other.rps, rel=0.10)


def test_equal_searches_are_not_believed_more_than_their_rounding():
    searches = [run(Search(100), server(430)) for _ in range(3)]
    found = combine_searches(searches)
    assert found.low_rps < found.rps < found.high_rps
    assert found.bounded


def test_one_search_has_no_spread():
    with pytest.raises(MeasurementError):
        combine_searches([run(Search(100), server(430))])


def test_where_nothing_keeps_the_objective_the_capacity_is_zero():
    found = combine_searches([run(Search(10), server(0)) for _ in range(2)])
    assert (found.rps, found.high_rps, found.bounded) == (0.0, 0.0, False)


@given(st.floats(10, 1000), st.floats(0.6, 0.95))
def test_the_knee_of_a_queue_is_where_its_distance_below_the_chord_is_greatest(capacity, top):
    """M/M/1 up to utilisation u: 1/(1 - x) has slope of its chord at 1 - sqrt(1 - u)."""
    load = np.linspace(0.01, top, 400)
    index = knee(load * capacity, 1 / (capacity * (1 - load)))
    assert load[index] == pytest.approx(1 - math.sqrt((1 - top) * (1 - 0.01)), abs=0.01)


def test_two_points_have_no_knee():
    with pytest.raises(MeasurementError):
        knee(np.array([1.0, 2.0]), np.array([1.0, 9.0]))
