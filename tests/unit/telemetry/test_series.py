"""What Prometheus sees of a run under load."""

import numpy as np
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from loadstone.record.histogram import Histogram
from loadstone.record.observations import Outcome
from loadstone.record.recording import Key, Recording, Times
from loadstone.stats.verdicts import Verdict
from loadstone.telemetry.buckets import LIMITS_S, cumulative
from loadstone.telemetry.series import MOST_ENDPOINTS, Collector
from loadstone.telemetry.state import State
from loadstone.workload.load_protocol import BlockDone, Second
from loadstone.workload.reports import DISPATCH

RUN = "20260101T000000Z-one"


def recording(variant, endpoint="list", count=10, outcome=Outcome.OK, response_us=2_000):
    times = Times(
        Histogram.of([response_us] * count), Histogram.of([1_000] * count), Histogram.of([500] * count)
    )
    return Recording({Key(variant, endpoint, outcome): times})


def second(elapsed_s, cpu_s=0.1):
    return Second(elapsed_s=elapsed_s, users=3, backlog=2, cpu_s=cpu_s)


def done(duration_s):
    counts = dict.fromkeys(
        ("due", "begun", "not_sent", "unfinished", "users", "backlog", "scenario_errors"), 0
    )
    return BlockDone(first_error="", duration_s=duration_s, cpu_s=0.2, clock_drift_s=0.0, **counts)


@pytest.fixture
def state():
    made = State()
    made.began(RUN, "before against after", [("before", "orm=naive"), ("after", "orm=prefetch")])
    return made


def samples(state):
    registry = CollectorRegistry()
    registry.register(Collector(state.shown))
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for each in families for s in each.samples}


def value(state, name, **labels):
    return samples(state)[(name, tuple(sorted({"run": RUN, **labels}.items())))]


def test_there_is_nothing_before_a_run_has_begun():
    assert samples(State()) == {}


def test_blocks_of_a_variant_add_up_and_a_running_one_counts_with_them(state):
    state.second(0, second(1), recording(0), Recording(), [8.0, 8.0])
    state.second(0, second(2), recording(0, count=25), Recording(), [8.0, 8.0])
    state.block_over(0, done(2.0), recording(0, count=26), Recording(), [8.0, 8.0])
    state.block_over(1, done(2.0), recording(1, count=7), Recording(), [8.0, 8.0])
    state.second(0, second(1), recording(0, count=5), Recording(), [8.0, 8.0])
    labels = {"endpoint": "list", "outcome": "ok"}
    assert value(state, "loadstone_requests_total", variant="before", **labels) == 31
    assert value(state, "loadstone_requests_total", variant="after", **labels) == 7
    assert value(state, "loadstone_offered_total", variant="before") == 24
    assert value(state, "loadstone_load_seconds_total", variant="before") == 3
    assert value(state, "loadstone_backlog", variant="before") == 2


def test_the_plan_is_told_beside_what_was_handed_out(state):
    schedule = recording(0, DISPATCH, count=6)
    state.second(0, second(1), recording(0), schedule, [8.0])
    assert value(state, "loadstone_offered_total", variant="before") == 8
    assert value(state, "loadstone_achieved_total", variant="before") == 6
    assert value(state, "loadstone_dispatch_lag_seconds_count", variant="before") == 6


def test_response_time_is_told_apart_from_service_time(state):
    state.second(0, second(1), recording(0, response_us=100_000), Recording(), [])
    labels = {"variant": "before", "endpoint": "list", "outcome": "ok"}
    assert value(state, "loadstone_response_seconds_sum", **labels) == pytest.approx(1.0)
    assert value(state, "loadstone_service_seconds_sum", **labels) == pytest.approx(0.01)
    assert value(state, "loadstone_lag_seconds_sum", variant="before") == pytest.approx(0.005)


def test_a_scenario_that_names_every_path_does_not_flood_prometheus(state):
    cells = {
        key: times
        for number in range(3 * MOST_ENDPOINTS)
        for key, times in recording(0, f"/item/{number}", count=1).cells.items()
    }
    state.second(0, second(1), Recording(cells), Recording(), [])
    told = {
        dict(labels)["endpoint"]: count
        for (name, labels), count in samples(state).items()
        if name == "loadstone_requests_total"
    }
    assert len(told) == MOST_ENDPOINTS + 1
    assert told["other"] == 2 * MOST_ENDPOINTS


def test_the_verdict_appears_with_the_end(state):
    assert not [name for name, _ in samples(state) if name == "loadstone_verdict"]
    state.ended(Verdict.IMPROVED)
    assert value(state, "loadstone_verdict", verdict="improved") == 1
    assert value(state, "loadstone_verdict", verdict="regressed") == 0
    assert value(state, "loadstone_running") == 0


def test_buckets_are_geometric_and_reach_from_a_fast_answer_to_a_hung_one():
    ratios = np.array(LIMITS_S[1:]) / np.array(LIMITS_S[:-1])
    assert np.all(np.abs(ratios - 2**0.5) < 0.001)
    assert LIMITS_S[0] < 0.0002
    assert LIMITS_S[-1] > 60


def test_buckets_split_no_recorded_count():
    values = np.random.default_rng(1).integers(0, 80_000_000, 20_000)
    told = dict(cumulative(Histogram.of(values)))
    for limit in LIMITS_S:
        assert told[f"{limit:g}"] == np.count_nonzero(values < round(limit * 1e6))
    assert told["+Inf"] == values.size
