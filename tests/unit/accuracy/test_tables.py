"""Arithmetic on made-up rows: intervals of counts, bias, coverage, power, times."""

import math

import numpy as np
import pytest
import tables
from ledger import wilson
from scipy import stats

LEVEL = 0.9975


def metric(estimate, half=0.01, *, looks=(), sd=0.004, verdict="inconclusive", kind="ratio"):
    low, high = estimate - half, estimate + half
    return {
        "kind": kind,
        "verdict": verdict,
        "detected": not low <= 0.0 <= high,
        "estimate": estimate,
        "low": low,
        "high": high,
        "level": LEVEL,
        "residual_sd": sd,
        "generations": 12,
        "looks": [
            {"generations": 6 + 2 * index, "at_s": at, "low": low, "high": high}
            for index, (at, low, high) in enumerate(looks)
        ],
    }


def row(*, truth=0.0, failed="", verdict="inconclusive", alarm=False, nominal_p=0.002, **metrics):
    return {
        "failed": failed,
        "verdict": verdict,
        "alarm": alarm,
        "metrics": metrics,
        "truth": dict.fromkeys(metrics, truth),
        "design": {"generations": 12, "nominal_p": nominal_p},
    }


@pytest.mark.parametrize(("alarms", "runs"), [(0, 1), (0, 60), (1, 60), (3, 10), (59, 60)])
def test_the_upper_bound_is_clopper_and_pearsons(alarms, runs):
    exact = stats.binomtest(alarms, runs, alternative="less").proportion_ci(0.95, method="exact").high
    assert tables.upper_bound(alarms, runs) == pytest.approx(exact, rel=1e-9)


def test_the_upper_bound_of_nothing_or_of_nothing_but_alarms_is_one():
    assert tables.upper_bound(0, 0) == tables.upper_bound(7, 7) == 1.0


@pytest.mark.parametrize(("hits", "runs"), [(0, 12), (5, 12), (12, 12), (199, 200)])
def test_the_interval_of_a_share_is_wilsons(hits, runs):
    interval = stats.binomtest(hits, runs).proportion_ci(0.95, method="wilson")
    assert wilson(hits, runs) == pytest.approx((interval.low, interval.high), abs=1e-6)


def test_bias_and_its_error_are_of_log_estimate_less_log_truth():
    rows = [row(truth=0.02, cpu=metric(estimate)) for estimate in (0.02, 0.03, 0.04)]
    found = tables.accuracy(rows, "cpu")
    errors = [math.log(1 + estimate) - math.log(1.02) for estimate in (0.02, 0.03, 0.04)]
    mean = sum(errors) / 3
    assert found.bias == pytest.approx(mean)
    assert found.bias_se == pytest.approx(math.sqrt(sum((e - mean) ** 2 for e in errors) / 2 / 3))
    assert found.truth == pytest.approx(0.02)


def test_an_interval_covers_where_it_holds_the_truth_of_its_own_run():
    rows = [row(truth=truth, cpu=metric(0.02, half=0.01)) for truth in (0.009, 0.011, 0.029, 0.031)]
    assert (tables.accuracy(rows, "cpu").covered, tables.accuracy(rows, "cpu").known) == (2, 4)


def test_a_call_is_a_detection_whatever_its_direction_and_wrong_ones_are_told():
    rows = [row(truth=0.02, cpu=metric(estimate)) for estimate in (0.03, 0.005, -0.03)]
    found = tables.accuracy(rows, "cpu")
    assert (found.runs, found.called, found.wrong_way) == (3, 2, 1)


def test_the_time_to_the_call_is_that_of_the_first_look_that_excluded_zero():
    looks = [(20.0, -0.01, 0.05), (30.0, 0.001, 0.04), (40.0, 0.01, 0.03)]
    rows = [
        row(cpu=metric(0.02, looks=looks)),
        row(cpu=metric(0.02, looks=[(50.0, 0.01, 0.03)])),
        row(cpu=metric(0.0, looks=looks)),
    ]
    assert tables.accuracy(rows, "cpu").call_s == 40.0


def test_what_failed_or_was_declared_invalid_is_in_no_count():
    rows = [
        row(cpu=metric(0.03)),
        row(failed="the generator died", cpu=metric(0.03)),
        row(cpu=metric(0.03, verdict="invalid")),
        row(),
    ]
    assert tables.accuracy(rows, "cpu").runs == 1
    assert tables.accuracy(rows[1:], "cpu") is None


def test_a_run_whose_truth_is_unknown_counts_as_called_but_says_nothing_of_bias():
    unknown = row(cpu=metric(0.03)) | {"truth": {}}
    found = tables.accuracy([unknown, row(truth=0.03, cpu=metric(0.03))], "cpu")
    assert (found.called, found.known, found.bias) == (2, 1, 0.0)


def test_certified_means_inside_both_sides_of_the_ratio_at_some_look():
    assert tables.within(1 / 1.01 - 1, 0.01, 0.01)
    assert not tables.within(-0.01, 0.01, 0.01)
    looks = [(60.0, -0.02, 0.005), (120.0, -0.009, 0.009), (180.0, -0.004, 0.006)]
    assert tables.certified_at(metric(0.0, looks=looks)) == 120.0
    assert tables.certified_at(metric(0.0, looks=looks[:1])) is None


def test_invalid_runs_of_identical_variants_are_counted_apart():
    assert tables.counts(row())
    assert not tables.counts(row(failed="exit code 3"))
    assert not tables.counts(row(verdict="invalid"))


def test_power_is_of_the_median_noise_at_the_last_look():
    rows = [row(cpu=metric(0.0, sd=sd)) for sd in (0.001, 0.02, 0.3)]
    shift = math.log(1.02) * math.sqrt(12) / 0.02
    critical = stats.t.isf(0.001, 10)
    assert tables.power(rows, "cpu") == pytest.approx(stats.nct.sf(critical, 10, shift), abs=1e-6)
    assert tables.power(rows, "latency_mean") is None


def test_the_least_power_is_nothing_where_a_headline_metric_is_missing():
    assert tables.least_power([row(cpu=metric(0.0))]) == 0.0
    both = row(cpu=metric(0.0, sd=0.001), latency_mean=metric(0.0, sd=0.02))
    assert tables.least_power([both]) == tables.power([both], "latency_mean")


def test_headline_metrics_come_first_and_errors_last():
    names = ("errors", "cpu", "latency_p95", "latency_mean GET /a", "latency_mean")
    found = tables.metric_names([row(**{name: metric(0.0) for name in names})])
    assert found == ["latency_mean", "latency_mean GET /a", "cpu", "latency_p95", "errors"]


@pytest.mark.parametrize("correlation", [0.0, 0.5])
def test_what_a_generation_hands_on_to_the_next_is_found(correlation):
    """AR(1) effects, seed 3; over 400 runs the standard error is near 0.01."""
    draw = np.random.default_rng(3)
    rows = []
    for _ in range(400):
        effects = [draw.normal()]
        for _ in range(23):
            effects.append(correlation * effects[-1] + math.sqrt(1 - correlation**2) * draw.normal())
        rows.append({"effects": {"cpu": effects}})
    found, error = tables.carry_over(rows, "cpu")
    assert error < 0.02
    assert found == pytest.approx(correlation, abs=4 * error + 2.5 * correlation / 24)


def test_what_is_handed_on_needs_runs_to_tell():
    assert tables.carry_over([{"effects": {"cpu": [1.0, 2.0, 1.0]}}], "cpu") is None
    assert tables.carry_over([{}, {"effects": {"cpu": []}}], "cpu") is None
