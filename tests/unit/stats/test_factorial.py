"""Factorial designs: balanced, and estimates as least squares has them."""

import itertools

import numpy as np
import pytest

from loadstone.errors import MeasurementError
from loadstone.stats import factorial
from loadstone.stats.factorial import Block

FULL = (2, 3, 4)


@pytest.mark.parametrize(("factors", "half"), [*((k, False) for k in FULL), (4, True)])
def test_a_design_is_balanced_with_the_base_first(factors, half):
    signs = factorial.design(factors, half=half)
    assert len(signs) == 2 ** (factors - half) == len({tuple(row) for row in signs.tolist()})
    assert (signs[0] == -1).all()
    assert (signs.sum(axis=0) == 0).all()
    assert (signs.T @ signs == len(signs) * np.eye(factors)).all()


def test_half_a_design_keeps_factors_clear_of_pairs_and_says_which_pairs_it_mixes():
    signs = factorial.design(4, half=True)
    assert factorial.aliases(signs, (0,)) == []
    assert factorial.aliases(signs, (0, 1)) == [(2, 3)]
    for full in map(factorial.design, FULL):
        assert all(factorial.aliases(full, term) == [] for term in factorial.terms(full.shape[1]))


def test_other_designs_are_refused():
    for factors, half in ((1, False), (5, False), (3, True)):
        with pytest.raises(MeasurementError):
            factorial.design(factors, half=half)


def blocks_of(signs, truth, rng, *, generations=6, sd=0.02, most=3):
    """Blocks of log ratios: the truth, noise of each cell, and noise of the base that its block shares."""
    found = []
    for cells in factorial.partition(list(range(1, len(signs))), most):
        base = rng.normal(0, sd, (generations, 1))
        noise = rng.normal(0, sd, (generations, len(cells)))
        found.append(Block(cells, truth[list(cells)] + noise - base))
    return found


@pytest.mark.parametrize(("factors", "half"), [(2, False), (3, False), (4, True), (4, False)])
def test_estimates_are_those_of_least_squares(factors, half):
    """The model of all independent terms, fitted by numpy to the cells' means; base at zero."""
    rng = np.random.default_rng(5)
    signs = factorial.design(factors, half=half)
    blocks = blocks_of(signs, rng.normal(0, 0.5, len(signs)), rng)
    means = np.zeros(len(signs))
    for block in blocks:
        means[list(block.cells)] = block.log_ratios.mean(axis=0)
    orders = itertools.chain.from_iterable(
        itertools.combinations(range(factors), size) for size in range(factors + 1)
    )
    columns, kept = [], []
    for term in orders:
        new = factorial.column(signs, term) if term else np.ones(len(signs))
        if all(abs(new @ old) < len(signs) for old in columns):
            columns.append(new)
            kept.append(term)
    fitted = dict(zip(kept, np.linalg.lstsq(np.column_stack(columns), means, rcond=None)[0], strict=True))
    for term in (term for term in factorial.terms(factors) if term in fitted):
        assert factorial.term_estimate(signs, blocks, term).value == pytest.approx(2 * fitted[term])


def test_one_block_has_the_interval_of_a_paired_t_test():
    stats = pytest.importorskip("scipy.stats")
    signs = factorial.design(2)
    rng = np.random.default_rng(8)
    (block,) = blocks_of(signs, np.array([0.0, 0.1, -0.2, 0.3]), rng)
    sums = block.log_ratios @ (2 * factorial.column(signs, (0, 1))[list(block.cells)] / 4)
    told = factorial.term_estimate(signs, [block], (0, 1))
    expected = stats.ttest_1samp(sums, 0.0)
    assert told.p_value == pytest.approx(expected.pvalue)
    assert told.interval(0.01) == pytest.approx(tuple(expected.confidence_interval(0.99)))


def test_intervals_over_blocks_hold_the_truth_as_often_as_they_say():
    """95% intervals of 7 cells in 3 blocks, 600 runs: 570 expected, fewer than 546 in 0.01% of such tests.

    The blocks differ in noise, so that pooling their degrees of freedom would be wrong.
    """
    rng = np.random.default_rng(11)
    signs = factorial.design(3)
    truth = np.array([0.0, *rng.normal(0, 0.3, 7)])
    expected = 2 * float(factorial.column(signs, (0,)) @ truth) / 8
    held = 0
    for _ in range(600):
        blocks = blocks_of(signs, truth, rng)
        noisy = Block(blocks[0].cells, blocks[0].log_ratios + rng.normal(0, 0.1, blocks[0].log_ratios.shape))
        low, high = factorial.term_estimate(signs, [noisy, *blocks[1:]], (0,)).interval(0.05)
        held += low <= expected <= high
    assert held >= 546


def test_a_cell_that_was_not_measured_is_no_zero():
    signs = factorial.design(2)
    blocks = [Block((1, 2), np.zeros((6, 2)))]
    with pytest.raises(MeasurementError):
        factorial.term_estimate(signs, blocks, (0,))
    with pytest.raises(MeasurementError):
        factorial.weighted(np.zeros(4), [Block((1, 2, 3), np.zeros((1, 3)))])


def test_groups_are_as_even_as_they_can_be():
    groups = factorial.partition(list(range(1, 8)), 3)
    assert [len(one) for one in groups] == [3, 2, 2]
    assert sorted(itertools.chain.from_iterable(groups)) == list(range(1, 8))


def test_the_path_takes_what_gains_most_given_what_is_on_already():
    signs = factorial.design(2)
    on = {tuple(row): cell for cell, row in enumerate(signs.tolist())}
    logs = {on[-1, -1]: 0.0, on[1, -1]: -0.5, on[-1, 1]: -0.9, on[1, 1]: -0.8}
    assert factorial.best_path(signs, logs) == [on[-1, -1], on[-1, 1], on[1, 1]]
    assert factorial.predicted(signs, [-0.5, -0.9])[on[1, 1]] == pytest.approx(-1.4)


def test_the_front_holds_what_nothing_beats():
    assert factorial.front([(1, 1), (2, 0), (0, 2), (2, 2), (1, 1)]) == [0, 1, 2, 4]
