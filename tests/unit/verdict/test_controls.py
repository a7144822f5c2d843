"""Controls: a run shows that it could be silent and that it could speak, at nobody's expense."""

import math
from dataclasses import replace

import numpy as np
import pytest
from msgspec.structs import replace as replace_plan
from runs import Truth, make_controlled_plan, make_plan, make_run, spike

from loadstone.record.journal import EndLine
from loadstone.record.observations import Outcome
from loadstone.record.plan import Control
from loadstone.record.probed import PayloadCheck, Probe, ProbeFacts, Total
from loadstone.record.result import CheckStatus, Machine, RunStatus
from loadstone.stats.repeated import Stopping
from loadstone.stats.verdicts import Verdict
from loadstone.verdict.assemble import Circumstances, Sealed, judge_run
from loadstone.verdict.contrasts import all_contrasts
from loadstone.verdict.controls import heard, judge_controls
from loadstone.verdict.levels import gather, levels
from loadstone.verdict.metrics import BY_NAME
from loadstone.verdict.rules import contrasts_of, rules_at
from loadstone.verdict.spikes import charged, relieved

MACHINE = Machine(fingerprint="m", cpu_model="", cores=2, memory_bytes=1, kernel="", python="")
CIRCUMSTANCES = Circumstances("run", "2026-01-01T00:00:00+00:00", "2026-01-01T00:01:00+00:00", 60.0, MACHINE)
END = EndLine(status="complete", stop_reason="the planned generations are measured", at="", decided=True)
QUIET = Truth(effect=-0.3, cpu_effect=-0.3, others=(0.0, 0.0), noise=0.002, start_effect=0.005, seed=2)
PLAN = make_controlled_plan()


def sealed(truth=QUIET, *, plan=PLAN, in_window=True, count=None):
    run = make_run(plan, truth, count)
    told = [(*one, spikes) for one, spikes in zip(run, spike(plan, run, in_window=in_window), strict=True)]
    with_cost = gather(4, [charged(*one, plan.spike_share) for one in told])
    without = gather(4, [relieved(*one) for one in told])
    return Sealed(plan, [line for line, _ in run], with_cost, None, END, without)


def judge(truth=QUIET, **how):
    return judge_run(sealed(truth, **how), CIRCUMSTANCES)


def findings(result, control):
    return {one.contrast.metric: one for one in result.controls if one.control is control}


def check_of(result, control):
    return next(check for check in result.checks if check.name == f"control: {control}")


def test_a_sound_run_is_silent_where_nothing_is_and_speaks_where_something_is():
    result = judge()
    assert {one.status for one in result.controls} == {CheckStatus.OK}
    assert list(findings(result, Control.SILENCE)) == ["latency_mean", "latency_p95", "cpu", "errors"]
    spoken = findings(result, Control.SPEECH)
    assert list(spoken) == ["latency_mean", "latency_p95", "cpu"]
    for one in spoken.values():
        assert one.truth == pytest.approx(0.04, abs=0.002)
        assert one.contrast.detected
        assert one.contrast.effect.low <= one.truth <= one.contrast.effect.high
    for control in Control:
        assert check_of(result, control).status is CheckStatus.OK
    assert result.verdict.verdict is Verdict.IMPROVED


def test_a_copy_that_is_called_different_makes_the_run_invalid():
    result = judge(replace(QUIET, others=(0.05, 0.0)))
    assert findings(result, Control.SILENCE)["latency_mean"].status is CheckStatus.FAIL
    check = check_of(result, Control.SILENCE)
    assert check.status is CheckStatus.FAIL
    assert "a copy of before is called different: mean latency +4." in check.message
    assert "at most 1.0% of sound runs" in check.remedy
    assert result.run.status is RunStatus.INVALID
    assert result.verdict.exit_code == 3


def test_a_difference_of_the_copy_that_does_not_matter_is_no_alarm():
    """1% within a margin of 2%: detected and equivalent, as it would be for after."""
    truth = replace(QUIET, others=(0.01, 0.0), noise=0.0005, pairs=4000, endpoints=("GET /list",))
    one = findings(judge(truth), Control.SILENCE)["latency_mean"]
    assert one.contrast.detected
    assert one.contrast.verdict is Verdict.EQUIVALENT
    assert one.status is CheckStatus.OK


def test_noise_that_drowns_the_known_cost_is_told_and_invalidates_nothing():
    result = judge(replace(QUIET, noise=0.05))
    assert findings(result, Control.SPEECH)["latency_mean"].status is CheckStatus.WARN
    check = check_of(result, Control.SPEECH)
    assert check.status is CheckStatus.WARN
    assert "was not seen: mean latency" in check.message
    assert "could not have seen" in check.remedy
    assert result.run.status is RunStatus.COMPLETE


def test_a_cost_that_the_clock_missed_lies_outside_its_interval():
    """As if the generator stopped its clock before it spun."""
    result = judge(in_window=False)
    assert findings(result, Control.SPEECH)["latency_mean"].status is CheckStatus.FAIL
    assert findings(result, Control.SPEECH)["cpu"].status is CheckStatus.OK
    check = check_of(result, Control.SPEECH)
    assert check.status is CheckStatus.FAIL
    assert "outside its interval: mean latency" in check.message
    assert result.verdict.verdict is Verdict.INVALID


def test_controls_cost_the_verdict_no_power():
    """The same levels and boundaries as without: alpha is divided among judged variants alone."""
    with_controls, without = PLAN, make_plan()
    assert with_controls.judged == without.judged == [1]
    assert contrasts_of(with_controls) == contrasts_of(without) == 4
    assert rules_at(with_controls, 8, ended=True).gating == rules_at(without, 8, ended=True).gating


def test_several_judged_variants_share_alpha_and_controls_do_not():
    plan = make_plan(names=("before", "after", "third"))
    assert contrasts_of(plan) == 8
    observations = gather(3, make_run(plan, Truth(effect=-0.3, others=(0.2,), noise=0.002)))
    found = all_contrasts(observations, rules_at(plan, 8, ended=True))
    means = [one for one in found if one.metric == "latency_mean" and one.endpoint is None]
    assert [one.variant for one in means] == ["after", "third"]
    assert [one.verdict for one in means] == [Verdict.IMPROVED, Verdict.REGRESSED]
    assert {one.effect.level for one in means} == {1 - 0.01 / 8}


def test_controls_are_no_part_of_what_is_judged():
    result = judge(replace(QUIET, effect=0.0, cpu_effect=0.0, noise=0.0005, pairs=4000))
    assert {one.variant for one in result.contrasts} == {"after"}
    assert not any(one.contrast.gating for one in result.controls)
    assert "spiked" not in result.verdict.headline
    assert [one.control for one in result.variants] == [None, None, Control.SILENCE, Control.SPEECH]


def test_failures_and_gaps_of_a_control_are_not_those_of_after():
    run = make_run(PLAN, QUIET)
    for _, rows in run:
        rows["outcome"][(rows["variant"] == 2) & (rows["pair"] % 50 == 0)] = Outcome.TIMEOUT
    told = Sealed(PLAN, [line for line, _ in run], gather(4, run), None, END)
    checks = {check.name: check for check in judge_run(told, CIRCUMSTANCES).checks}
    assert checks["new failures"].status is CheckStatus.OK


def test_what_is_waited_for_is_that_the_known_cost_is_seen():
    loud, quiet = (sealed(truth).observations for truth in (replace(QUIET, noise=0.05), QUIET))
    rules = rules_at(PLAN, 8, ended=False)
    assert heard(quiet, rules)
    assert not heard(loud, rules)
    assert heard(gather(2, make_run(make_plan(), Truth())), rules_at(make_plan(), 8, ended=False))


def test_without_a_planned_end_any_number_of_generations_tells_the_truth():
    """An odd one leaves the start orders out of balance, for the truth as for the estimate."""
    plan = replace_plan(PLAN, stopping=Stopping.ANYTIME)
    result = judge(replace(QUIET, noise=0.0005, pairs=2000, endpoints=("GET /list",)), plan=plan, count=7)
    mean = findings(result, Control.SPEECH)["latency_mean"]
    assert mean.contrast.generations == 7
    assert mean.truth == pytest.approx(0.04, abs=0.002)
    assert mean.status is CheckStatus.OK


def test_too_few_generations_say_nothing_of_controls():
    result = judge(count=4)
    assert result.controls == []
    assert {check_of(result, control).status for control in Control} == {CheckStatus.WARN}


def test_a_run_without_controls_has_no_such_checks():
    run = make_run(make_plan(), Truth())
    result = judge_run(
        Sealed(make_plan(), [line for line, _ in run], gather(2, run), None, END), CIRCUMSTANCES
    )
    assert result.controls == []
    assert not [check for check in result.checks if check.name.startswith("control")]


def test_the_cost_is_charged_to_cpu_of_single_requests_and_in_all_and_taken_out_again():
    line, rows = make_run(PLAN, QUIET)[0]
    rows["cpu_us"] = 5000
    (spikes,) = spike(PLAN, [(line, rows)])
    told, with_cost = charged(line, rows, spikes, 0.04)
    spiked = rows["variant"] == 3
    assert set(with_cost["cpu_us"][spiked]) == {5200}
    assert set(with_cost["cpu_us"][~spiked]) == {5000}
    used, more = (sum((cpu.server_s, cpu.database_s, cpu.cache_s)) for cpu in (line.cpu[3], told.cpu[3]))
    assert more == pytest.approx(1.04 * used)
    assert told.cpu[:3] == line.cpu[:3]
    _, without = relieved(line, rows, spikes)
    original = make_run(PLAN, QUIET)[0][1]
    assert (abs(without["service_us"] - original["service_us"]) <= 1).all()


def test_the_truth_is_what_the_estimator_would_see_without_noise():
    """Of quantiles too: what the spiked copy shows more than it would have without the cost."""
    run = sealed(replace(QUIET, noise=0.0, start_effect=0.0))
    result = judge_run(run, CIRCUMSTANCES)
    for metric in ("latency_mean", "latency_p95"):
        with_cost, without = (
            levels(one, BY_NAME[metric], None)[:, 3] for one in (run.observations, run.bare)
        )
        truth = findings(result, Control.SPEECH)[metric].truth
        assert math.log1p(truth) == pytest.approx(np.log(with_cost / without).mean(), abs=6e-4)


def test_sound_runs_are_seldom_called_unsound():
    """100 seeds, each control wrong in at most 1% of runs: more than 4 come up 1 time in 300; seeds fixed."""
    wrong = dict.fromkeys(Control, 0)
    rules = rules_at(PLAN, 8, ended=True)
    for seed in range(100):
        run = sealed(replace(QUIET, noise=0.01, pairs=60, endpoints=("GET /list",), seed=seed))
        found = judge_controls(run.observations, run.bare, rules)
        for control in Control:
            mine = [one.status for one in found if one.control is control]
            wrong[control] += CheckStatus.FAIL in mine
    assert max(wrong.values()) <= 4, wrong


def test_a_probe_of_copies_changes_no_fact(probe_of_copies):
    result = judge_run(replace(sealed(), probe=probe_of_copies), CIRCUMSTANCES)
    assert {change.variant for change in result.facts} == {"after"}


@pytest.fixture
def probe_of_copies():
    facts = [
        ProbeFacts(
            endpoint="GET /list",
            variant=variant,
            requests=5,
            queries_first=3.0,
            queries_repeat=3.0,
            rows=1.0,
            response_bytes=1.0,
            cache_commands_first=None,
            cache_commands_repeat=None,
            statuses=[200],
            totals={"queries": Total(total=15, requests=5)},
        )
        for variant in ("before", "after", "copy", "spiked")
    ]
    return Probe(facts=facts, payload=PayloadCheck(checked=1, equal=1, rules=[], differences=[]))
