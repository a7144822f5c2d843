"""Metrics of single endpoints that decide, and margins of their own."""

import math

import pytest
from msgspec.structs import replace
from runs import Truth, make_plan, make_run

from loadstone.config.bounds import parse_gating
from loadstone.errors import ConfigurationError
from loadstone.record.journal import EndLine
from loadstone.record.result import CheckStatus, Machine
from loadstone.stats.verdicts import Verdict
from loadstone.verdict.assemble import Circumstances, Sealed, judge_run
from loadstone.verdict.judging import unsettled
from loadstone.verdict.levels import gather
from loadstone.verdict.rules import contrasts_of

MACHINE = Machine(fingerprint="m", cpu_model="", cores=2, memory_bytes=1, kernel="", python="")
CIRCUMSTANCES = Circumstances("run", "2026-01-01T00:00:00+00:00", "2026-01-01T00:01:00+00:00", 60.0, MACHINE)
DETAIL = "GET /detail: latency_mean"


def judge(truth, gating, margins):
    plan = replace(make_plan(8), gating=gating, margins=margins)
    sealed = make_run(plan, truth, None)
    end = EndLine(status="complete", stop_reason="measured", at="", decided=True)
    lines = [line for line, _ in sealed]
    return judge_run(Sealed(plan, lines, gather(2, sealed), None, end), CIRCUMSTANCES)


def contrast_of(result, metric, endpoint=None):
    return next(one for one in result.contrasts if one.metric == metric and one.endpoint == endpoint)


@pytest.mark.parametrize(("change", "open_"), [(0.02, False), (0.05, True), (0.08, False)])
def test_a_change_is_settled_once_the_interval_leaves_it_out(change, open_):
    truth = Truth(effect=math.log(1.05), noise=0.002, pairs=2000)
    result = judge(truth, ["errors", DETAIL], {})
    plan = replace(make_plan(8), settle={DETAIL: change})
    assert unsettled(contrast_of(result, "latency_mean", "GET /detail"), plan) is open_
    assert not unsettled(contrast_of(result, "latency_mean"), plan)  # nothing is asked of it


def test_an_endpoint_decides_by_its_own_margin():
    truth = Truth(effect=math.log(1.05), noise=0.002, pairs=2000)
    strict = judge(truth, ["errors", DETAIL], {DETAIL: 0.03})
    assert contrast_of(strict, "latency_mean", "GET /detail").gating
    assert contrast_of(strict, "latency_mean", "GET /detail").margin == 0.03
    assert not contrast_of(strict, "latency_mean").gating
    assert strict.verdict.exit_code == 1
    assert "mean latency of GET /detail" in strict.verdict.headline
    lax = judge(truth, ["errors", DETAIL], {DETAIL: 0.20})
    assert contrast_of(lax, "latency_mean", "GET /detail").verdict is Verdict.EQUIVALENT
    assert lax.verdict.exit_code == 0


def test_the_margin_of_a_metric_holds_for_its_endpoints_unless_they_have_their_own():
    found = judge(Truth(), ["latency_mean"], {"latency_mean": 0.1, DETAIL: 0.2, "errors": 0.5})
    assert contrast_of(found, "latency_mean").margin == 0.1
    assert contrast_of(found, "latency_mean", "GET /list").margin == 0.1
    assert contrast_of(found, "latency_mean", "GET /detail").margin == 0.2
    assert contrast_of(found, "cpu").margin == 0.02
    assert contrast_of(found, "errors").margin == 0.5


def test_what_decides_shares_the_alarm_rate():
    plan = replace(make_plan(8), gating=["latency_mean", "cpu", DETAIL])
    assert contrasts_of(plan) == 3


def test_an_endpoint_that_was_never_seen_is_told():
    found = judge(Truth(), ["latency_mean", "GET /nowhere: latency_mean"], {})
    check = next(one for one in found.checks if one.name == "gating metrics")
    assert check.status is CheckStatus.WARN
    assert "GET /nowhere: latency_mean (no such request was seen)" in check.message


def test_the_command_line_names_endpoints_before_metrics():
    assert parse_gating(("cpu, GET /list: latency_p95",)) == ("cpu", "GET /list: latency_p95")
    with pytest.raises(ConfigurationError, match="11 metrics of single endpoints cannot decide"):
        parse_gating(tuple(f"GET /{number}: latency_mean" for number in range(11)))
