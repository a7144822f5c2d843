"""What audits the inference: exact re-randomisation, and leaving one generation out."""

import numpy as np
import pytest
from msgspec.structs import replace
from runs import Truth, make_plan, make_run

from loadstone.record.result import CheckStatus
from loadstone.verdict.checks.inference import check_drift, check_influence, check_start_orders
from loadstone.verdict.contrasts import all_contrasts
from loadstone.verdict.levels import gather
from loadstone.verdict.rules import rules_at


def judged(truth, generations=16, change=None):
    """Observations of a run, with the rules of its last look."""
    plan = make_plan(generations)
    run = make_run(plan, truth)
    if change is not None:
        run = [change(index, line, rows) for index, (line, rows) in enumerate(run)]
    return gather(2, run), rules_at(plan, generations, ended=True)


def slower(place, factor):
    """Make `after` slower in one generation."""

    def change(index, line, rows):
        if index == place:
            rows = rows.copy()
            rows["service_us"] = np.where(
                rows["variant"] == 1, rows["service_us"] * factor, rows["service_us"]
            )
        return line, rows

    return change


def drifting(index, line, rows):
    """Make `after` slower and faster again in the course of the generations, by a tenth."""
    return slower(index, 1 + 0.1 * np.sin(index / 16 * 2 * np.pi))(index, line, rows)


def test_blocks_whose_effect_drifts_are_told_and_independent_ones_are_not():
    drifts, still = check_drift(*judged(Truth(), change=drifting)), check_drift(*judged(Truth()))
    assert drifts.status is CheckStatus.WARN
    assert "drifts while it is measured" in drifts.remedy
    assert still.status is CheckStatus.OK


def test_a_clear_effect_is_clear_by_start_orders_too():
    check = check_start_orders(*judged(Truth(effect=-0.3)))
    assert check.status is CheckStatus.OK
    assert "mean latency p = 0.0078" in check.message
    assert "no p below 0.0078 is possible with 16 generations" in check.message


def test_where_it_cannot_reject_it_is_silent_about_the_interval():
    """12 generations have no p below 0.031: an audit at 1% that could say nothing warns of nothing."""
    check = check_start_orders(*judged(Truth(effect=-0.3), 12))
    assert check.status is CheckStatus.OK
    assert "no p below 0.031" in check.message


def test_it_warns_where_it_could_have_rejected_and_did_not():
    """An effect that the t interval excludes from zero, with one couple that points the other way."""
    observations, rules = judged(Truth(effect=-0.02, noise=0.002, start_effect=0.0, pairs=3000))
    mean = next(one for one in all_contrasts(observations, rules) if one.metric == "latency_mean")
    assert mean.detected

    def undone(index, line, rows):
        return slower(index, 1.025)(index, line, rows) if index in (4, 5) else (line, rows)

    observations, rules = judged(
        Truth(effect=-0.02, noise=0.002, start_effect=0.0, pairs=3000), change=undone
    )
    mean = next(one for one in all_contrasts(observations, rules) if one.metric == "latency_mean")
    check = check_start_orders(observations, rules)
    assert mean.detected
    assert check.status is CheckStatus.WARN
    assert "mean latency" in check.remedy


def test_a_generation_on_which_the_verdict_hangs_is_named_and_kept():
    """Without the ninth generation the interval would exclude zero."""
    observations, rules = judged(
        Truth(effect=-0.05, noise=0.004, start_effect=0.0, pairs=2000), change=slower(8, 1.6)
    )
    check = check_influence(observations, rules)
    assert check.status is CheckStatus.WARN
    assert "mean latency on generation 9" in check.remedy
    assert "(generation 9 moves it most)" in check.message
    assert observations.count == rules.generations == 16


def test_a_steady_run_hangs_on_no_generation():
    check = check_influence(*judged(Truth(effect=-0.3)))
    assert check.status is CheckStatus.OK
    assert check.value == 0.0
    assert "mean latency" in check.message


@pytest.mark.parametrize("check", [check_start_orders, check_influence])
def test_metrics_without_any_variance_have_nothing_to_audit(check):
    assert "failed requests" not in check(*judged(Truth())).message


def test_more_than_two_variants_have_no_labels_to_swap():
    plan = make_plan(names=("before", "after", "other"))
    rules = rules_at(plan, 8, ended=True)
    run = make_run(replace(plan), Truth(others=(0.0,)))
    assert "not told" in check_start_orders(gather(3, run), rules).message
