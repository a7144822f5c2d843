import itertools
import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from loadstone.errors import ConfigurationError
from loadstone.stats.verdicts import (
    Direction,
    FailOn,
    Verdict,
    combine,
    detected,
    exceeds_margin,
    judge,
    log_margin,
)

M = 0.02
intervals = st.tuples(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5)).map(sorted)
margins = st.floats(0.0, 0.3)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.01, 0.01, Verdict.EQUIVALENT),
        (0.005, 0.015, Verdict.EQUIVALENT),  # tested first, although detected
        (0.005, 0.03, Verdict.REGRESSED),
        (-0.03, -0.005, Verdict.IMPROVED),
        (-0.03, 0.01, Verdict.INCONCLUSIVE),
        (-math.inf, math.inf, Verdict.INCONCLUSIVE),
        (math.nan, math.nan, Verdict.INCONCLUSIVE),
        (0.0, 0.03, Verdict.INCONCLUSIVE),
        (-M, M, Verdict.EQUIVALENT),
    ],
)
def test_the_interval_decides(low, high, verdict):
    assert judge(low, high, M) is verdict


def test_more_is_better_where_the_metric_says_so():
    assert judge(0.05, 0.09, M, Direction.HIGHER) is Verdict.IMPROVED
    assert judge(-0.09, -0.05, M, Direction.HIGHER) is Verdict.REGRESSED


@given(intervals, margins, st.sampled_from(Direction))
def test_interval_and_verdict_never_disagree(interval, margin, direction):
    low, high = interval
    verdict = judge(low, high, margin, direction)
    worse = high if direction is Direction.LOWER else -low
    better = low if direction is Direction.LOWER else -high
    assert (verdict is Verdict.EQUIVALENT) == (max(abs(low), abs(high)) <= margin)
    if verdict is Verdict.REGRESSED:
        assert better > 0
        assert worse > margin
    if verdict is Verdict.IMPROVED:
        assert worse < 0
    if verdict in (Verdict.REGRESSED, Verdict.IMPROVED):
        assert detected(low, high)
    if verdict is Verdict.INCONCLUSIVE:
        assert not detected(low, high)


@given(intervals, margins)
def test_swapping_variants_swaps_improved_and_regressed(interval, margin):
    low, high = interval
    swapped = {Verdict.IMPROVED: Verdict.REGRESSED, Verdict.REGRESSED: Verdict.IMPROVED}
    verdict = judge(low, high, margin)
    assert judge(-high, -low, margin) is swapped.get(verdict, verdict)
    assert judge(low, high, margin, Direction.HIGHER) is swapped.get(verdict, verdict)


def test_a_relative_margin_holds_on_both_sides_of_the_log_scale():
    assert math.expm1(log_margin(0.25)) == pytest.approx(0.25)
    assert math.exp(-log_margin(0.25)) == pytest.approx(1 / 1.25)
    with pytest.raises(ConfigurationError, match=r"-0\.1"):
        log_margin(-0.1)


@pytest.mark.parametrize(
    ("estimate", "low", "high", "fails"),
    [
        (0.010, 0.005, 0.015, {"detected"}),
        (0.015, 0.005, 0.025, {"detected"}),
        (0.030, 0.010, 0.050, {"detected", "estimate"}),
        (0.050, 0.030, 0.070, {"detected", "estimate", "certain"}),
        (0.030, -0.01, 0.070, set()),
        (-0.05, -0.07, -0.03, set()),
        (math.nan, math.nan, math.nan, set()),
    ],
)
def test_what_fails_a_build(estimate, low, high, fails):
    assert {kind.value for kind in FailOn if exceeds_margin(estimate, low, high, M, fail_on=kind)} == fails
    flipped = {
        kind.value
        for kind in FailOn
        if exceeds_margin(-estimate, -high, -low, M, direction=Direction.HIGHER, fail_on=kind)
    }
    assert flipped == fails


@given(intervals, st.floats(0, 1), margins)
def test_the_laxer_choice_never_fails_what_the_stricter_lets_pass(interval, share, margin):
    low, high = interval
    estimate = low + share * (high - low)
    assume(low <= estimate <= high)
    detected_, estimate_, certain = (
        exceeds_margin(estimate, low, high, margin, fail_on=kind)
        for kind in (FailOn.DETECTED, FailOn.ESTIMATE, FailOn.CERTAIN)
    )
    assert certain <= estimate_ <= detected_


@pytest.mark.parametrize(
    ("verdicts", "overall"),
    [
        ("", "inconclusive"),
        ("equivalent equivalent", "equivalent"),
        ("equivalent inconclusive", "inconclusive"),
        ("improved equivalent", "improved"),
        ("improved inconclusive", "improved"),
        ("improved regressed", "regressed"),
        ("regressed inconclusive", "regressed"),
        ("regressed invalid", "invalid"),
    ],
)
def test_the_worst_gating_contrast_decides(verdicts, overall):
    for arrangement in itertools.permutations(verdicts.split()):
        assert combine([Verdict(text) for text in arrangement]) is Verdict(overall)


def test_a_new_failure_class_is_never_an_improvement():
    assert combine([Verdict.IMPROVED], new_failures=True) is Verdict.INCONCLUSIVE
    assert combine([Verdict.REGRESSED], new_failures=True) is Verdict.REGRESSED
