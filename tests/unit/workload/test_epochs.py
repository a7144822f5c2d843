"""Workers come and go; every arrival stays somebody's, and nobody's twice."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadstone.config.rates import parse_rate
from loadstone.errors import MeasurementError
from loadstone.workload.arrivals import Arrivals, owned
from loadstone.workload.epochs import Epochs

NAMES = ("a", "b", "c", "d", "e")
changes = st.lists(st.tuples(st.integers(0, 400), st.sets(st.sampled_from(NAMES), min_size=1)), max_size=6)


@given(changes)
def test_each_arrival_belongs_to_exactly_one_worker_whoever_joins_and_leaves(changes):
    epochs = Epochs(["a", "b"])
    for first, workers in sorted(changes, key=lambda change: change[0]):
        epochs.open(first, sorted(workers))
    number = np.arange(1000)
    owners = sum(owned(number, epochs.shares(name)).astype(int) for name in NAMES)
    assert (owners == 1).all()


@given(changes)
def test_earlier_arrivals_do_not_change_hands(changes):
    epochs, number = Epochs(["a", "b"]), np.arange(1000)
    for first, workers in sorted(changes, key=lambda change: change[0]):
        before = {name: owned(number[:first], epochs.shares(name)) for name in NAMES}
        epochs.open(first, sorted(workers))
        for name in NAMES:
            assert (owned(number[:first], epochs.shares(name)) == before[name]).all()


@given(changes, st.booleans())
def test_the_counts_of_all_workers_add_up_to_the_plan(changes, poisson):
    rate = parse_rate(f"{'poisson:' if poisson else ''}300/1s, 100/1s")
    arrivals, epochs = Arrivals(rate, 0.0, 2.0, (1,)), Epochs(["a", "b"])
    for first, workers in sorted(changes, key=lambda change: change[0]):
        epochs.open(first, sorted(workers))
    counts = [arrivals.count(epochs.shares(name)) for name in NAMES]
    assert sum(counts) == arrivals.count()
    assert counts == [sum(map(len, arrivals.batches(epochs.shares(name)))) for name in NAMES]


def test_a_worker_that_goes_on_with_other_shares_misses_and_repeats_nothing():
    arrivals, epochs = Arrivals(parse_rate("5000/3s"), 0.0, 3.0), Epochs(["a", "b", "c"])
    sent = np.concatenate([batch.number for batch in arrivals.batches(epochs.shares("a"))])
    epochs.open(9000, ["a", "c"])
    handed_out = 8997
    later = np.concatenate([b.number for b in arrivals.batches(epochs.shares("a"), after=handed_out)])
    both = np.concatenate([sent[sent <= handed_out], later])
    assert both.tolist() == [i for i in range(15_000) if (i % 3 == 0 if i < 9000 else i % 2 == 0)]


@pytest.mark.parametrize("rate", ["100/2s", "poisson:100/2s", "0:400/2s"])
def test_the_first_arrival_that_is_due_later_is_found(rate):
    arrivals = Arrivals(parse_rate(rate), 0.0, 2.0, (7,))
    due = np.concatenate([batch.due_ns for batch in arrivals.batches()])
    for after_ns in (0, 700_000_000, int(due[-1]), 2_000_000_001):
        assert arrivals.first_due(after_ns) == int((due < after_ns).sum())


def test_an_epoch_before_the_last_one_is_refused():
    epochs = Epochs(["a"])
    epochs.open(10, ["a", "b"])
    with pytest.raises(MeasurementError, match="before the last"):
        epochs.open(9, ["a"])


def test_nobody_left_is_an_error():
    with pytest.raises(MeasurementError, match="no worker is left"):
        Epochs(["a"]).open(10, [])
