import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from loadstone.stats.streams import QuickRandom, random_bits, random_share, stream, stream_seed

parts = st.lists(st.one_of(st.integers(-(2**70), 2**70), st.text(max_size=6)), max_size=5).map(tuple)


def test_seeds_are_the_same_everywhere():
    assert stream_seed(1, "pair", 3) == 5714011698659143567
    assert random_bits(8, 1, "pair").tolist() == [True, False, True, False, False, True, True, True]


@given(parts, parts)
def test_different_parts_give_different_seeds(one, other):
    assert (stream_seed(*one) == stream_seed(*other)) == (one == other)


@given(parts, st.integers(0, 50))
def test_a_longer_array_begins_with_the_shorter(key, count):
    assert (random_bits(100, *key)[:count] == random_bits(count, *key)).all()
    assert (random_share(100, 0.5, *key)[:count] == random_share(count, 0.5, *key)).all()


def test_bits_are_fair_and_shares_are_kept():
    """100,000 draws each: fails for 1 key in 15,000 (4 standard errors)."""
    assert abs(random_bits(100_000, 5).mean() - 0.5) < 4 * np.sqrt(0.25 / 100_000)
    assert abs(random_share(100_000, 0.1, 5).mean() - 0.1) < 4 * np.sqrt(0.09 / 100_000)
    assert random_share(10, 1.0, 1).all()
    assert not random_share(10, 0.0, 1).any()


def test_streams_of_two_users_are_unrelated():
    one = [stream(7, "pair", user).random() for user in range(2_000)]
    other = [stream(7, "pair", user + 1).random() for user in range(2_000)]
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.09  # 4 standard errors: 1 seed in 15,000


def test_quick_streams_are_splitmix64():
    """The outputs for seed 1234567 as published with the reference implementation."""
    quick = QuickRandom(1234567)
    assert [quick.getrandbits(64) for _ in range(4)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
    ]


def test_quick_streams_repeat_and_differ_by_number():
    quick = QuickRandom(0)
    drawn = []
    for number in [*range(1000), 5]:
        quick.reseed(99, number)
        drawn.append((quick.random(), quick.randrange(10**9), quick.gauss(0, 1)))
    assert drawn[-1] == drawn[5]
    assert len(set(drawn)) == 1000
    assert all(0 <= first < 1 for first, _, _ in drawn)


def test_quick_streams_draw_evenly():
    """10,000 draws from as many streams: fails for 1 key in 15,000 (4 standard errors)."""
    quick = QuickRandom(0)
    ones = 0
    for number in range(10_000):
        quick.reseed(7, number)
        ones += quick.choice((0, 1))
    assert abs(ones - 5000) < 4 * 50


def test_quick_streams_go_on_where_they_were():
    quick = QuickRandom(3)
    state = quick.getstate()
    first = [quick.getrandbits(bits) for bits in (1, 53, 64, 200)]
    quick.setstate(state)
    assert [quick.getrandbits(bits) for bits in (1, 53, 64, 200)] == first
