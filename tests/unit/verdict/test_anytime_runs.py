"""Runs without a fixed end: looked at after every generation, and no more wrong for it."""

import math

import numpy as np
import pytest
from msgspec.structs import replace
from runs import Truth, make_plan, make_run

from loadstone.record.journal import EndLine
from loadstone.record.result import Contrast, Machine
from loadstone.stats.inference import fit
from loadstone.stats.repeated import Stopping
from loadstone.stats.verdicts import Verdict, log_margin
from loadstone.verdict.assemble import Circumstances, Sealed, judge_run
from loadstone.verdict.judging import UNBOUNDED, is_open
from loadstone.verdict.levels import gather
from loadstone.verdict.overall import judge_timing
from loadstone.verdict.rules import MOST_TOLD, rules_at

MACHINE = Machine(fingerprint="m", cpu_model="", cores=2, memory_bytes=1, kernel="", python="")
CIRCUMSTANCES = Circumstances("run", "2026-01-01T00:00:00+00:00", "2026-01-01T00:01:00+00:00", 60.0, MACHINE)


def open_ended(generations=16, **changes):
    plan = make_plan(generations)
    looks = list(range(6, generations + 1))
    return replace(plan, stopping=Stopping.ANYTIME, looks=looks, **changes)


def judge(truth, count, *, decided=True):
    plan = open_ended()
    sealed = make_run(plan, truth, count)
    end = EndLine(status="complete", stop_reason="decided", at="", decided=decided)
    return judge_run(Sealed(plan, [line for line, _ in sealed], gather(2, sealed), None, end), CIRCUMSTANCES)


@pytest.mark.parametrize("count", [6, 7, 8, 11, 16])
def test_any_number_of_generations_may_be_judged(count):
    assert rules_at(open_ended(), count, ended=False).generations == count
    result = judge(Truth(effect=-0.5), count)
    assert result.verdict.verdict is Verdict.IMPROVED
    mean = next(one for one in result.contrasts if one.metric == "latency_mean" and one.gating)
    assert mean.generations == count
    assert [look.generations for look in mean.looks] == list(range(6, count + 1))


def test_before_the_sixth_nothing_is_judged():
    assert rules_at(open_ended(), 5, ended=True) is None
    assert judge(Truth(effect=-0.5), 5).contrasts == []


def test_how_a_run_ended_does_not_change_what_it_says():
    """A cap or an interruption spends nothing: there is nothing left to spend.

    Only the forecast differs, as generations that ran out of time took longer than planned.
    """
    ended = [judge(Truth(), 9, decided=decided).contrasts for decided in (True, False)]
    bare, capped = ([replace(one, more_minutes=None) for one in contrasts] for contrasts in ended)
    assert bare == capped


def test_intervals_are_wider_than_with_a_planned_end():
    anytime = rules_at(open_ended(), 16, ended=True)
    planned = rules_at(make_plan(16), 16, ended=True)
    assert anytime.gating.alpha == planned.gating.alpha
    assert anytime.gating.nominal_p(16) < planned.gating.nominal_p(16)


def test_a_long_run_tells_some_of_its_looks_and_the_last():
    rules = rules_at(open_ended(120), 120, ended=True)
    assert len(rules.looks) <= MOST_TOLD
    assert rules.looks[-1] == rules.generations == 120


def stops(rng, effect, alpha, *, gate=4, most=40):
    """Return what a gate says that stops once every contrast is decided, or at `most` generations.

    The contrasts share half of their noise, as the metrics of one run do.
    """
    rules = rules_at(open_ended(most, alpha=alpha), most, ended=True)
    margin = log_margin(0.02)
    order = np.tile([1.0, -1.0], most // 2)
    d = 0.02 * (rng.standard_normal(most) + rng.standard_normal((gate, most))) / math.sqrt(2) + effect
    for count in range(6, most + 1):
        ends = [rules.gating.interval(fit(one[:count], order[:count])) for one in d]
        excluded = [low > 0 or high < 0 for low, high in ends]
        equivalent = [-margin <= low and high <= margin for low, high in ends]
        if all(one or other for one, other in zip(excluded, equivalent, strict=True)):
            break
    return any(excluded)


def test_a_gate_looked_at_after_every_generation_cries_wolf_no_more_often_than_stated():
    """600 gates of 4 identical metrics, up to 35 looks each: at most 5% + 4 standard errors."""
    rng = np.random.default_rng(41)
    alarms = [stops(rng, 0.0, 0.05) for _ in range(600)]
    assert np.mean(alarms) <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / 600)


def test_excluding_zero_at_any_look_at_all_is_as_rare():
    """2,000 runs of one contrast that go on whatever they see, 35 looks: at most 5% + 4 standard errors."""
    rng = np.random.default_rng(42)
    rule = rules_at(open_ended(40, alpha=0.05, gating=["latency_mean"]), 40, ended=True).gating
    order = np.tile([1.0, -1.0], 20)
    bars = {count: rule.nominal_p(count) for count in range(6, 41, 2)}
    alarms = 0
    for d in rng.standard_normal((2_000, 40)):
        alarms += any(fit(d[:n], order[:n]).p_value <= bar for n, bar in bars.items())
    assert 0 < alarms / 2_000 <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / 2_000)


def test_a_clear_effect_ends_a_run_soon():
    rng = np.random.default_rng(43)
    assert all(stops(rng, 0.2, 0.01, most=12) for _ in range(20))


def test_what_cannot_be_bounded_yet_is_open_and_keeps_a_run_from_being_called_equivalent():
    fields = {
        "unit": "us", "direction": "lower", "lane": "pair", "endpoint": None, "gating": True,
        "baseline": "before", "variant": "after", "margin": 0.02,
    }  # fmt: skip
    unbounded = Contrast(metric="cpu", available=False, unavailable_reason=UNBOUNDED, **fields)
    settled = Contrast(metric="latency_mean", available=True, verdict=Verdict.EQUIVALENT, **fields)
    assert is_open(unbounded)
    assert not is_open(settled)
    verdict = judge_timing([settled, unbounded], [], [], "complete", open_ended(), [])
    assert verdict.verdict is Verdict.INCONCLUSIVE
