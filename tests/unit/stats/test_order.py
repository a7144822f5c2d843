from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadstone.errors import ConfigurationError
from loadstone.stats.inference import contrasts
from loadstone.stats.order import start_plan

seeds = st.integers(0, 2**63)
variants = st.integers(2, 4)
BLOCK = {2: 4, 3: 6, 4: 4}


@given(seeds, variants)
def test_start_contrasts_sum_to_zero_at_every_even_number_of_generations(seed, k):
    plan = start_plan(16, k, seed)
    for one in range(k):
        others = [one, *(v for v in range(k) if v != one)]
        _, s = contrasts(np.ones((16, k)), plan.positions[:, others])
        assert np.abs(s.cumsum(axis=0)[1::2]).max() < 1e-12


@given(seeds, variants)
def test_each_generation_uses_each_position_and_each_slot_once(seed, k):
    plan = start_plan(12, k, seed)
    for rows in (plan.positions, plan.slots):
        assert (np.sort(rows, axis=1) == np.arange(k)).all()


@given(seeds, variants)
def test_over_a_block_each_variant_holds_each_position_and_slot_equally_often(seed, k):
    plan = start_plan(BLOCK[k], k, seed)
    for rows in (plan.positions, plan.slots):
        for variant in range(k):
            assert set(Counter(rows[:, variant].tolist()).values()) == {BLOCK[k] // k}


@given(seeds)
def test_for_two_variants_order_and_slot_are_crossed_over_four_and_balanced_over_two(seed):
    plan = start_plan(16, 2, seed)
    for start in range(0, 16, 4):
        rows = slice(start, start + 4)
        crossed = set(zip(plan.positions[rows, 0].tolist(), plan.slots[rows, 0].tolist(), strict=True))
        assert crossed == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert (plan.slots[0::2, 0] + plan.slots[1::2, 0] == 1).all()


@given(seeds, variants, st.integers(0, 20))
def test_a_longer_plan_begins_with_the_shorter_one(seed, k, generations):
    short, long = start_plan(generations, k, seed, "pair"), start_plan(24, k, seed, "pair")
    assert (long.positions[:generations] == short.positions).all()
    assert (long.slots[:generations] == short.slots).all()


def test_the_plan_is_a_function_of_its_parts():
    assert start_plan(8, 2, 1).positions[:, 0].tolist() == [1, 0, 1, 0, 1, 0, 0, 1]
    plans = {start_plan(16, 2, seed).positions.tobytes() for seed in range(100)}
    assert len(plans) > 60


def test_each_couples_order_is_a_fair_coin_of_its_own():
    """2,000 seeds, 4 couples: each of the 16 patterns 125 times; chi-squared fails 1 time in 10,000."""
    plans = (start_plan(8, 2, seed) for seed in range(2_000))
    patterns = Counter(tuple(plan.positions[::2, 0].tolist()) for plan in plans)
    assert len(patterns) == 16
    assert sum((count - 125) ** 2 / 125 for count in patterns.values()) < 44.3


@pytest.mark.parametrize("k", [1, 5])
def test_more_variants_than_can_be_resident_are_refused(k):
    with pytest.raises(ConfigurationError, match=f"{k} variants"):
        start_plan(6, k, 1)
