"""What a worker's clock says, over a network that takes its time, loses and doubles."""

import random

from hypothesis import given
from hypothesis import strategies as st

from loadstone.workload.clocks import EXCHANGES, ClockExchange, Reading

delays = st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)), min_size=1, max_size=30)


def exchange(offset_ns: int, delays) -> ClockExchange:
    """Ask over a network with these delays there and back, to a clock that is ahead by so much."""
    asking, now_ns = ClockExchange(), 10**12
    for there_ns, back_ns in delays:
        number = asking.ask(now_ns)
        told_ns = now_ns + there_ns + offset_ns
        now_ns += there_ns + back_ns
        asking.answer(number, told_ns, now_ns)
    return asking


@given(st.integers(-(10**15), 10**15), delays)
def test_the_offset_is_within_the_bound_however_lopsided_the_network(offset_ns, delays):
    reading = exchange(offset_ns, delays).best
    assert abs(reading.offset_ns - offset_ns) <= reading.bound_ns


@given(st.integers(-(10**15), 10**15), delays)
def test_the_shortest_round_trip_gives_the_bound(offset_ns, delays):
    shortest_ns = min(there + back for there, back in delays)
    assert exchange(offset_ns, delays).best.bound_ns <= shortest_ns // 2 + 2


def test_answers_that_are_doubled_late_or_not_asked_for_change_nothing():
    asking = ClockExchange()
    first, lost = asking.ask(1000), asking.ask(2000)
    asking.answer(first, 501_000, 3000)
    best = asking.best
    asking.answer(first, 999_000, 3001)
    asking.answer(77, 999_000, 3002)
    asking.answer(lost, 502_500, 500)
    assert asking.best == best == Reading(499_000, 1001)


def test_it_is_over_after_so_many_answers_and_not_before():
    asking = ClockExchange()
    rng = random.Random(1)
    for count in range(EXCHANGES):
        assert not asking.over
        asking.answer(asking.ask(count * 1000), rng.randrange(10**9), count * 1000 + 500)
    assert asking.over


def test_clocks_went_apart_only_by_what_the_bounds_do_not_explain():
    before = Reading(1_000_000, 300_000)
    assert Reading(1_500_000, 200_000).moved_ns(before) == 0
    assert Reading(1_700_000, 200_000).moved_ns(before) == 200_000
