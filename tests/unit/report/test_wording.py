"""The same words in every format, and none that says more than was found."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from loadstone.record.result import Effect
from loadstone.report import wording
from loadstone.stats.verdicts import Verdict
from loadstone.verdict.metrics import METRICS


@pytest.fixture
def with_effect(results):
    """A contrast of mean latency with a given effect."""
    contrast = results.improved().contrasts[0]

    def make(estimate, low, high, **changes):
        effect = Effect(kind="ratio", estimate=estimate, low=low, high=high, level=0.9975)
        return replace(contrast, **{"effect": effect, **changes})

    return make


def test_a_large_gain_is_said_in_percent_and_in_times(with_effect):
    contrast = with_effect(-0.68, -0.70, -0.66)
    assert wording.effect_in_words(contrast) == "68% less (3.1× faster)"
    assert wording.interval_in_words(contrast) == "99.75% interval 66% to 70% less"


def test_a_loss_is_more_and_slower(with_effect):
    contrast = with_effect(1.0, 0.9, 1.1)
    assert wording.effect_in_words(contrast) == "100% more (2.0× slower)"


def test_processor_time_is_not_faster_but_less(with_effect):
    assert wording.times_in_words(with_effect(-0.65, -0.7, -0.6, metric="cpu")) == "2.9× less"


def test_an_interval_around_zero_names_both_ways(with_effect):
    contrast = with_effect(-0.003, -0.011, 0.005)
    assert wording.effect_in_words(contrast) == "0.3% less"
    assert wording.interval_in_words(contrast) == "99.75% interval 1.1% less to 0.5% more"


def test_no_change_is_unchanged(with_effect):
    assert wording.effect_in_words(with_effect(0.0, -0.01, 0.01)) == "unchanged"


def test_shares_are_told_in_percentage_points(results):
    errors = next(one for one in results.regressed().contrasts if one.metric == "errors")
    assert wording.effect_in_words(errors) == "0.40 percentage points more"
    assert wording.interval(errors.effect, errors.unit) == "+0.29 to +0.51 pp"
    assert wording.margin(errors) == "±0.1 pp"


def test_no_failure_on_either_side_is_none_seen(results):
    errors = next(one for one in results.improved().contrasts if one.metric == "errors")
    assert wording.interval(errors.effect, errors.unit) == "none seen"


def test_an_open_question_says_what_would_settle_it(results):
    contrast = results.inconclusive().contrasts[0]
    assert "about 14 more minutes would likely settle it" in wording.outlook(contrast)
    assert "smallest change that this run could have seen" in wording.outlook(contrast)
    assert wording.outlook(results.improved().contrasts[0]) == ""


def test_an_unavailable_metric_gives_its_reason(results):
    p99 = next(one for one in results.p99_unavailable().contrasts if one.metric == "latency_p99")
    assert wording.sentence(p99).startswith("p99 latency: not measurable here: needs 2000 pairs")
    assert "needs about 11 min" in wording.sentence(p99)


def test_every_verdict_has_a_sign_and_none_shares_its_symbol():
    symbols = [wording.VERDICTS[verdict].symbol for verdict in Verdict]
    assert len(set(symbols)) == len(symbols)


def test_every_metric_has_a_short_name_of_its_own():
    labels = [wording.metric_label(metric.name) for metric in METRICS]
    assert len(set(labels)) == len(labels)
    assert all("_" not in label for label in labels)


def test_a_metric_of_a_newer_version_is_still_readable():
    assert wording.metric_label("queue_depth_max") == "queue depth max"


def test_what_no_time_would_settle_is_told_so(results):
    contrast = replace(results.inconclusive().contrasts[0], more_minutes=None)
    assert "hardly any amount of time would settle it" in wording.outlook(contrast)
