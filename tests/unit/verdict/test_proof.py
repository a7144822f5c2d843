"""A claim is confirmed by its whole interval, or by a count; never by an estimate alone."""

import math

import pytest
import results
from result_recipes import LEVEL

from loadstone.config.expectations import Expectation
from loadstone.record.proof import Proven
from loadstone.stats.verdicts import Direction
from loadstone.verdict.proof import find, prove

LIST = "GET /api/v1/products/"


def expected(metric="latency_mean", direction="lower", at_least=0.3, endpoint=None):
    return Expectation("naive", "prefetch", metric, Direction(direction), at_least, endpoint=endpoint)


@pytest.mark.parametrize(
    ("low", "high", "direction", "proven"),
    [
        (-0.5, -0.3, "lower", "confirmed"),
        (-0.5, -0.29, "lower", "inconclusive"),
        (-0.29, -0.1, "lower", "not confirmed"),
        (0.1, 0.5, "lower", "not confirmed"),
        (0.3, 0.5, "higher", "confirmed"),
        (0.29, 0.31, "higher", "inconclusive"),
        (-0.5, 0.29, "higher", "not confirmed"),
        (math.inf, math.inf, "higher", "confirmed"),
        (math.inf, math.inf, "lower", "not confirmed"),
    ],
)
def test_an_interval_is_held_against_what_was_expected(low, high, direction, proven):
    assert str(prove(low, high, expected(direction=direction))) == proven


@pytest.mark.parametrize(
    ("low", "high", "direction", "proven"),
    [
        (0.001, 0.01, "higher", "confirmed"),
        (-0.05, -0.01, "higher", "confirmed"),
        (0.001, 0.011, "higher", "inconclusive"),
        (0.011, 0.02, "higher", "not confirmed"),
        (-0.02, -0.011, "lower", "not confirmed"),
        (-0.01, 0.3, "lower", "confirmed"),
    ],
)
def test_an_interval_is_held_against_what_must_not_be_exceeded(low, high, direction, proven):
    most = Expectation("off", "on", "cpu_server", Direction(direction), at_least=0.0, at_most=0.01)
    assert str(prove(low, high, most)) == proven


def test_a_timed_claim_is_judged_by_its_contrast():
    found = find(results.improved(), expected(at_least=0.6))
    assert (found.proven, found.unit) == (Proven.CONFIRMED, "us")
    assert found.low < found.estimate < found.high < -0.6
    assert found.level == LEVEL


def test_an_endpoint_of_its_own_is_judged_by_its_own_contrast():
    page = find(results.improved(), expected(endpoint="GET /api/v1/products/{id}/"))
    whole = find(results.improved(), expected())
    assert page.estimate > whole.estimate


def test_counts_decide_by_themselves():
    found = find(results.probed(), expected("queries", at_least=0.9, endpoint=LIST))
    assert (found.proven, found.before, found.after, found.level) == (Proven.CONFIRMED, 61, 2, None)
    assert find(results.probed(), expected("queries", "higher", 0.1, LIST)).proven is Proven.NOT_CONFIRMED


def test_counts_of_all_endpoints_weigh_as_often_as_they_were_asked():
    found = find(results.probed(), expected("queries", at_least=0.5))
    assert (found.before, found.after) == (34, 5)


def test_what_was_not_seen_is_no_finding():
    found = find(results.probed(), expected("queries", endpoint="GET /elsewhere"))
    assert found.proven is Proven.INVALID
    assert LIST in found.reason


def test_an_invalid_run_proves_nothing():
    found = find(results.invalid(), expected())
    assert found.proven is Proven.INVALID
    assert "payload" in found.reason


@pytest.mark.parametrize(
    ("result", "metric"), [(results.partial, "latency_mean"), (results.p99_unavailable, "cpu")]
)
def test_without_an_interval_nothing_is_decided(result, metric):
    found = find(result(), expected(metric))
    assert (found.proven, found.estimate) == (Proven.INCONCLUSIVE, None)
    assert found.reason
