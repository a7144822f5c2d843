"""A server is warm once its answers no longer get faster."""

from loadstone.workload.steadiness import BLOCK, is_steady


def test_a_falling_time_is_not_steady():
    falling = [1.0 / (1 + number) for number in range(4 * BLOCK)]
    assert not is_steady(falling, sides=2)


def test_an_even_time_is_steady_and_a_rising_one_too():
    assert is_steady([0.01] * (4 * BLOCK), sides=2)
    assert is_steady([0.01 + number / 1e4 for number in range(4 * BLOCK)], sides=2)


def test_two_blocks_are_needed():
    assert not is_steady([0.01] * (4 * BLOCK - 1), sides=2)
