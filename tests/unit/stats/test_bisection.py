"""Bisection: the right commit, in a bounded number of runs, although measurements are noisy."""

import random

import pytest
from scipy import stats

from loadstone.stats.bisection import Measured, bisect, most_runs


def search(culprit, *, effect=0.05, error=0.005, seed=1, commits=32, alpha=0.05):
    draw = random.Random(seed)

    def measure(index):
        return Measured(draw.gauss(effect if index >= culprit else 0.0, error), error)

    return bisect(commits, effect, measure, alpha=alpha)


def test_the_commit_is_found_within_the_bound_for_every_place():
    """Noise of a tenth of the effect: 2.5% is five errors away from either side."""
    for culprit in range(32):
        course = search(culprit, seed=culprit)
        assert (course.bad, course.settled) == (culprit, True)
        assert course.runs <= most_runs(32, 0.05, 0.005, 0.05) + 2


def test_a_wrong_commit_is_named_as_seldom_as_promised():
    """400 searches at 5%, noise as large as half the effect: a search may stay open, and seldom errs."""
    wrong = 0
    for seed in range(400):
        course = search(seed % 32, error=0.025, seed=seed)
        wrong += course.settled and course.bad != seed % 32
        assert course.good < course.bad
        if not course.settled:
            wrong += not course.good < seed % 32 <= course.bad
    assert wrong <= stats.binom.ppf(0.99, 400, 0.05)


def test_what_is_counted_takes_one_run_a_halving():
    assert search(20, effect=1.0, error=0.0).runs == 5
    assert most_runs(32, 1.0, 0.0, 0.05) == 5


def test_a_gain_is_found_as_a_loss_is():
    draw = random.Random(7)
    course = bisect(16, -0.2, lambda at: Measured(draw.gauss(-0.2 if at >= 9 else 0.0, 0.01), 0.01))
    assert (course.bad, course.settled) == (9, True)


def test_a_commit_between_both_sides_ends_the_search_with_a_range():
    course = bisect(8, 0.1, lambda at: Measured(0.05 if at in {3, 4} else 0.1 * (at > 4), 0.02))
    assert not course.settled
    assert (course.good, course.bad) == (-1, 7)
    assert course.told[-1][3] == "open"


@pytest.mark.parametrize(("commits", "runs"), [(1, 0), (2, 1)])
def test_one_commit_is_the_one(commits, runs):
    course = search(commits - 1, commits=commits)
    assert (course.bad, course.settled, course.runs) == (commits - 1, True, runs)
