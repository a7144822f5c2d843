import math
from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadstone.config.rates import Piece, Rate, parse_rate
from loadstone.errors import ConfigurationError
from loadstone.workload.arrivals import CHUNK, Arrivals, Curve, Share, arrivals_per_second, exponentials

rps = st.one_of(st.just(0.0), st.floats(0.1, 400.0))
pieces = st.builds(Piece, st.floats(0.05, 20.0), rps, rps)
plans = (
    st.lists(pieces, min_size=1, max_size=6)
    .filter(lambda some: any(piece.arrivals > 0 for piece in some))
    .map(lambda some: Rate("", tuple(some)))
)


def due(arrivals: Arrivals, *args) -> np.ndarray:
    return np.concatenate([np.empty(0, np.int64), *(batch.due_ns for batch in arrivals.batches(*args))])


def numbers(arrivals: Arrivals, *args) -> np.ndarray:
    return np.concatenate([np.empty(0, np.int64), *(batch.number for batch in arrivals.batches(*args))])


def window(rate: Rate, start: float, stop: float, *key) -> Arrivals:
    return Arrivals(rate, start, stop, key)


@given(plans)
def test_evenly_spaced_arrivals_match_the_area_within_one_at_every_instant(rate):
    whole = window(rate, 0, rate.duration_s)
    times = due(whole)
    assert abs(times.size - whole.expected) < 1 + 1e-6
    area = Curve(rate.pieces).count(times / 1e9)
    # arrival i is due when the area reaches i; a nanosecond's rounding moves it by no more than 1e-6
    assert np.abs(area - np.arange(times.size)).max(initial=0) < 1e-6
    assert (np.diff(times) >= 0).all()
    assert ((times >= 0) & (times <= rate.duration_s * 1e9 + 1)).all()


@given(plans, st.integers(0, 5))
def test_poisson_arrivals_are_in_order_and_within_the_plan(rate, seed):
    times = due(window(Rate("", rate.pieces, poisson=True), 0, rate.duration_s, seed))
    assert (np.diff(times) >= 0).all()
    assert ((times >= 0) & (times <= rate.duration_s * 1e9 + 1)).all()


@given(plans, st.booleans(), st.lists(st.integers(1, 7), min_size=1, max_size=4), st.data())
def test_workers_share_out_every_arrival_exactly_once(rate, poisson, crews, data):
    """Each crew opens an epoch, and its workers hold its places in some order."""
    whole = window(Rate("", rate.pieces, poisson=poisson), 0, rate.duration_s, 1)
    everything = numbers(whole)
    firsts = sorted(data.draw(st.integers(0, everything.size + 1)) for _ in crews[1:])
    most = max(crews)
    places = [[*data.draw(st.permutations(range(crew))), *[None] * (most - crew)] for crew in crews]
    seen = [
        numbers(
            whole,
            [
                Share(first, crew, place[worker])
                for first, crew, place in zip([0, *firsts], crews, places, strict=True)
            ],
        )
        for worker in range(most)
    ]
    assert sorted(np.concatenate(seen).tolist()) == everything.tolist()


@given(plans, st.floats(0.1, 0.9))
def test_windows_of_evenly_spaced_arrivals_join_without_a_seam(rate, share):
    cut = share * rate.duration_s
    parts = [window(rate, 0, cut), window(rate, cut, rate.duration_s)]
    joined = np.concatenate([due(parts[0]), due(parts[1]) + cut * 1e9])
    whole = due(window(rate, 0, rate.duration_s))
    assert joined.size == whole.size
    assert np.abs(joined - whole).max(initial=0) <= 2


def test_a_steady_rate_is_a_grid_with_no_drift_after_eight_hours():
    last = deque(window(parse_rate("300"), 0, 8 * 3600).batches(), maxlen=1).pop()
    assert last.number[-1] == 8 * 3600 * 300 - 1
    assert last.due_ns[-1] == 28_800_000_000_000 - 3_333_333


@pytest.mark.parametrize(
    ("text", "per_second"),
    [
        ("20/3s", [20, 20, 20]),
        ("0:40/4s", [5, 15, 25, 35]),
        ("10:30+10/3s", [10, 20, 30]),
        ("10^1000@1s/3s", [10, 1000, 10]),
        ("(10/1s,0/1s)*2", [10, 0, 10, 0]),
    ],
)
def test_each_shape_offers_what_it_says(text, per_second):
    rate = parse_rate(text)
    planned = arrivals_per_second(rate, 0, rate.duration_s)
    assert planned == pytest.approx(per_second)
    seen = np.histogram(due(window(rate, 0, rate.duration_s)) / 1e9, np.arange(len(per_second) + 1))[0]
    assert np.abs(seen - planned).max() <= 1


def test_what_is_due_in_a_pause_waits_for_its_end():
    times = due(window(parse_rate("10/1s, 0/1s, 10/1s"), 0, 3)) / 1e9
    assert times == pytest.approx([*np.arange(0, 1, 0.1), *np.arange(2, 3, 0.1)])


def test_poisson_arrivals_are_a_function_of_the_key_and_of_nothing_else():
    rate = parse_rate("poisson:900/10s")
    one = due(window(rate, 0, 10, 7, "load", 2))
    assert one.size > 2 * CHUNK
    assert (one == due(window(rate, 0, 10, 7, "load", 2))).all()
    assert one[:CHUNK].tolist() != due(window(rate, 0, 10, 7, "load", 3))[:CHUNK].tolist()
    assert one[:5].tolist() == [6113843, 7510307, 7581511, 8028379, 8828179]


def test_exponentials_are_exponential():
    """200,000 draws: each bound is 4 standard errors, so one key in about 8,000 would fail."""
    drawn = exponentials(200_000, 11)
    assert abs(drawn.mean() - 1) < 4 / math.sqrt(200_000)
    assert abs((drawn > 2).mean() - math.exp(-2)) < 4 * math.sqrt(math.exp(-2) / 200_000)
    assert abs(np.corrcoef(drawn[1:], drawn[:-1])[0, 1]) < 4 / math.sqrt(200_000)


def test_counts_of_poisson_arrivals_have_the_poisson_mean_and_variance():
    """A ramp over 400 keys; bounds of 4 standard errors, one seed in about 8,000 would fail."""
    rate = parse_rate("poisson:5:15/10s")
    counts = np.array([(due(window(rate, 0, 10, key)) < 5e9).sum() for key in range(400)])
    expected = 5 * 7.5
    assert abs(counts.mean() - expected) < 4 * math.sqrt(expected / 400)
    assert abs(counts.var(ddof=1) / expected - 1) < 4 * math.sqrt(2 / 399)


@settings(max_examples=30)
@given(st.integers(1, 5), st.integers(-1, 6))
def test_there_are_only_the_places_that_there_are(workers, place):
    if 0 <= place < workers:
        Share(0, workers, place)
    else:
        with pytest.raises(ConfigurationError):
            Share(0, workers, place)


def test_an_endless_window_is_refused():
    with pytest.raises(ConfigurationError, match="holds no arrivals"):
        window(parse_rate("10"), 0, math.inf)
