"""What a window shows: kept, broken, or nothing."""

import pytest
from capacity_simulation import Simulated, experiment

from loadstone.config.thresholds import parse_thresholds
from loadstone.lanes.capacity_design import make_capacity_plan
from loadstone.record.capacity_record import WindowLine
from loadstone.record.load_record import BlockLine
from loadstone.record.recording import Recording
from loadstone.stats.capacity import Trial
from loadstone.verdict.capacity_window import (
    HOPELESS,
    hopeless,
    judge_window,
    least_rate,
    most_requests,
    window_seconds,
)


class One(dict):
    """A variant that runs."""

    label, processes = "only", 0


def window(plan, rps, capacity, *, block=None, **how):
    """Return a judged window of a simulated server."""
    simulated = Simulated(plan, None, None, capacity=lambda *_: capacity, **how)
    done, requests, schedule = simulated.offer(0, (rps, plan.window_s), [], {"v0": One()})
    facts = {
        "due": done.due, "begun": done.begun, "not_sent": 0, "unfinished": 0, "users": 4, "backlog": 0,
        "scenario_errors": 0, "first_error": "", "duration_s": done.duration_s, "generator_cpu_s": 0.2,
        "clock_drift_s": 0.0, "server_cpu_s": None, "steal": None, "sendable_rps": None, "aborted": "",
    } | (block or {})  # fmt: skip
    line = WindowLine(
        generation=0, variant=0, rate_rps=rps, seconds=plan.window_s, at_s=0.0, requests_per_arrival=1.0,
        block=BlockLine(requests="", schedule="", **facts),
    )  # fmt: skip
    return judge_window(plan, line, requests, schedule), requests


@pytest.fixture
def plan(tmp_path):
    def make(objective="p99<100ms, errors<1%", **changes):
        wanted = experiment(tmp_path, ["only"], objective=parse_thresholds(objective), **changes)
        return make_capacity_plan(wanted, "loadstone capacity")

    return make


def test_below_its_capacity_a_server_keeps_the_objective_and_above_it_does_not(plan):
    assert window(plan(), 90, 100)[0].trial is Trial.KEPT
    assert window(plan(), 110, 100)[0].trial is Trial.BROKEN


def test_what_ends_after_the_windows_last_second_counts(plan):
    """At 104/s for 4 s, only the last requests are late: 160 ms at the end, in the drain."""
    assert window(plan("max<100ms"), 104, 100)[0].trial is Trial.BROKEN


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ({"generator_cpu_s": 3.9}, "the load generator used"),
        ({"clock_drift_s": 0.5}, "the clocks went"),
        ({"duration_s": 1.0}, "the plan ended 3.0 s early"),
    ],
)
def test_what_makes_a_load_run_invalid_makes_a_window_invalid(plan, block, problem):
    judged, _ = window(plan(), 90, 100, block=block)
    assert judged.trial is Trial.INVALID
    assert problem in judged.problems[0]


def test_a_late_generator_spoils_a_window_that_would_break_the_objective_too(plan):
    judged, _ = window(plan(), 300, 100, lag_us=lambda *_: 15_000)
    assert judged.trial is Trial.INVALID
    assert "late" in judged.problems[0]


def test_a_window_that_was_short_of_users_says_nothing_of_the_server(plan):
    """At 200/s and 100 ms, twenty users may be busy at once in a server that keeps the objective."""
    unsent = {"not_sent": 50, "begun": 750}
    judged, _ = window(plan(most_users=10), 200, 100, block=unsent)
    assert judged.trial is Trial.INVALID
    assert "10 users are too few" in judged.problems[0]
    assert window(plan(most_users=30), 200, 100, block=unsent)[0].trial is Trial.BROKEN


def test_too_few_requests_tell_nothing(plan):
    judged, _ = window(plan(), 5, 100)
    assert judged.trial is Trial.INVALID
    assert judged.unknown == ("p99<100ms",)


def test_a_window_is_given_up_only_where_it_is_lost_for_certain(plan):
    """Of 400 requests, 4 may be slower than the limit, and 3 may fail (4 are 1%)."""
    objective = parse_thresholds("p99<100ms, errors<1%")
    _, requests = window(plan(), 100, 100)
    assert not hopeless(objective, requests.cells, 400)
    _, overloaded = window(plan(), 200, 100)
    late = sum(cell.response.above(100_000)[0] for cell in overloaded.cells.values())
    assert hopeless(objective, overloaded.cells, 100 * (late - 1))
    assert not hopeless(objective, overloaded.cells, 100 * (late + 10))
    _, failing = window(plan(), 100, 1000, error_share=0.02)
    assert hopeless(objective, failing.cells, 400)
    assert not hopeless(objective, Recording().cells, 400)


def test_a_window_that_was_given_up_is_broken_however_few_requests_it_had(plan):
    """Twenty requests tell no p99, but all of them were too slow."""
    judged, _ = window(plan(window_s=2.0), 10, 4, block={"aborted": HOPELESS, "duration_s": 1.0})
    assert judged.trial is Trial.BROKEN
    assert judged.lost == ("p99<100ms",)


def test_a_late_window_that_was_given_up_is_measured_again_and_not_called_untellable(plan):
    given_up = {"aborted": HOPELESS, "duration_s": 1.0}
    judged, _ = window(plan(window_s=2.0), 10, 4, block=given_up, lag_us=lambda *_: 40_000)
    assert (judged.trial, judged.unknown) == (Trial.INVALID, ())


def test_being_given_up_is_no_reason_by_itself(plan):
    judged, _ = window(plan(), 90, 100, block={"aborted": HOPELESS})
    assert judged.trial is Trial.KEPT


def test_lengths_follow_from_the_objective(plan):
    """p99 wants 200 requests, p99.9 two thousand; four lengths are the most."""
    assert window_seconds(plan(), 100, 1.0) == 4.0
    assert window_seconds(plan(), 20, 1.0) == 10.0
    assert window_seconds(plan(), 1, 1.0) == 16.0
    assert least_rate(plan(), 1.0) == pytest.approx(200 / 16)
    assert least_rate(plan("p99.9<1s"), 2.0) == pytest.approx(2000 / 32)
    assert least_rate(plan("errors<1%"), 1.0) == pytest.approx(1 / 16)


def test_arrivals_at_random_may_be_more_than_planned(plan):
    assert most_requests(plan(), 400, 1.0) == 400
    assert most_requests(plan(poisson=True), 400, 1.0) == 500
    assert most_requests(plan(), 400, 2.0) > 800
