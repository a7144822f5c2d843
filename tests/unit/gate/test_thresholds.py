import math
from collections import Counter
from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadstone.config.thresholds import parse_thresholds
from loadstone.gate.thresholds import Status, Tally, feed, quantile, watch_all


def second(*response_ms: float, **outcomes: int) -> Tally:
    """Return a second in which these requests ended well, and others as told."""
    counts = Counter(ms * 1000 for ms in response_ms)
    named = {name.replace("_", " ").strip(): count for name, count in outcomes.items()}
    return Tally({"ok": len(response_ms), **named}, {"response": counts})


def findings(text: str, *seconds: dict[str, Tally], planned: float = 10.0):
    watches = watch_all(parse_thresholds(text))
    for each in seconds:
        feed(watches, each, planned)
    return [watch.finding() for watch in watches]


def one(text: str, *seconds: Tally, planned: float = 10.0):
    return findings(text, *({"GET /": each} for each in seconds), planned=planned)[0]


def test_without_a_window_the_whole_run_counts():
    bad, good = second(*[300] * 100), second(*[10] * 9900)
    assert one("p99<=10ms", bad, good).status is Status.KEPT
    assert one("p99<10ms", bad, good).status is Status.BROKEN
    assert one("p99.5<=10ms", bad, good).worst == 300_000


def test_with_a_window_every_window_counts_and_the_first_broken_one_is_told():
    calm, burst = second(*[10] * 100), second(*[10] * 95, *[400] * 5)
    found = one("p99<200ms over 3s", *[calm] * 5, burst, *[calm] * 5)
    assert (found.status, found.worst, found.at_s, found.requests) == (Status.BROKEN, 400_000, 6, 300)
    assert one("p99<200ms", *[calm] * 50, burst, *[calm] * 50).status is Status.KEPT


def test_a_window_forgets_what_left_it():
    calm, burst = second(*[10] * 100), second(*[150] * 100)
    found = one("max<200ms over 2s", burst, *[calm] * 4)
    assert (found.status, found.worst, found.at_s) == (Status.KEPT, 150_000, 2)


def test_only_a_broken_window_that_says_abort_ends_the_run():
    watches = watch_all(parse_thresholds("errors<10% over 2s abort, errors<10% over 2s"))
    assert feed(watches, {"a": second(1, _5xx=1)}, 10) == []
    assert feed(watches, {"a": second(1, _5xx=1)}, 10) == watches[:1]


def test_an_endpoint_is_judged_by_its_own_requests():
    both = {"GET /a": second(*[10] * 100), "GET /b": second(*[90] * 100)}
    a, b, all_ = findings("GET /a: p95<20ms, GET /b: p95<20ms, p50<20ms", both)
    assert [a.status, b.status, all_.status] == [Status.KEPT, Status.BROKEN, Status.KEPT]


def test_what_never_came_up_is_unknown_and_not_kept():
    (found,) = findings("GET /typo: p95<20ms", {"GET /a": second(1)})
    assert found.status is Status.UNKNOWN
    assert found.worst is None


def test_a_failure_is_no_fast_answer_and_a_timeout_is_longer_than_any_limit():
    assert one("p50<50ms", second(*[100] * 10, _5xx=90)).worst == 100_000
    assert one("p95<50s", second(*[1] * 90, timeout=10)).worst == math.inf
    assert one("mean<50s", second(*[1] * 90, not_sent=10)).worst == math.inf
    assert one("p80<50s", second(*[1] * 90, timeout=10)).worst == 1000


def test_shares_count_every_request():
    seen = second(*[1] * 95, _5xx=2, _429=1, not_sent=2)
    assert one("errors<5%", seen).worst == pytest.approx(0.05)
    assert one("5xx<=2%", seen).status is Status.KEPT
    assert one("ok>95%", seen).status is Status.BROKEN


def test_a_redirect_is_no_error():
    assert one("errors<=0%", second(1, _3xx=5)).status is Status.KEPT


def test_the_rate_is_that_of_requests_that_were_sent_against_the_plan():
    assert one("rate>=99%", second(*[1] * 99, not_sent=1), planned=100).worst == pytest.approx(0.99)
    assert one("rate>=99%", second(*[1] * 98, not_sent=2), planned=100).status is Status.BROKEN
    assert one("rate>=50/s over 1s", second(*[1] * 60), second(*[1] * 40)).status is Status.BROKEN


def test_a_quantile_needs_a_request_beyond_it():
    assert one("p99<1s", second(*[1] * 99)).status is Status.UNKNOWN
    assert one("p99<1s", second(*[1] * 100)).status is Status.KEPT


@given(
    st.lists(st.integers(1, 10**9), min_size=1, max_size=300),
    st.floats(0.01, 0.999),
    st.integers(0, 5),
)
def test_a_quantile_is_the_smallest_value_that_its_share_did_not_exceed(values, q, endless):
    found = quantile(Counter(values), q, endless=endless)
    everything = np.array([*values, *[math.inf] * endless], dtype=float)
    if found is None:
        assert everything.size * (1 - q) < 1 + 1e-8
        return
    assert (everything <= found).mean() >= q - 1e-8
    assert (everything < found).mean() <= q + 1e-8


@given(st.lists(st.lists(st.integers(1, 50), max_size=8), min_size=3, max_size=12), st.integers(1, 3))
def test_a_sliding_window_is_the_sum_of_its_seconds(data, width):
    found = one(f"max<=30ms over {width}s", *(second(*values) for values in data))
    windows = [list(chain(*data[end - width : end])) for end in range(width, len(data) + 1)]
    seen = [max(window) for window in windows if window]
    if not seen:
        assert found.status is Status.UNKNOWN
    else:
        assert (found.status is Status.BROKEN) == (max(seen) > 30)
