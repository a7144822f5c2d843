"""Sealed data in, verdict out: what a run may say, and what it must not."""

import math

import pytest
from msgspec.structs import replace
from runs import Truth, make_plan, make_run

from loadstone.record.journal import EndLine
from loadstone.record.observations import Outcome
from loadstone.record.result import CheckStatus, Machine, RunStatus
from loadstone.stats.repeated import Stopping
from loadstone.stats.verdicts import FailOn, Verdict
from loadstone.verdict.assemble import Circumstances, Sealed, judge_run
from loadstone.verdict.contrasts import all_contrasts
from loadstone.verdict.levels import comparable, gather
from loadstone.verdict.rules import rules_at

MACHINE = Machine(fingerprint="m", cpu_model="", cores=2, memory_bytes=1, kernel="", python="")
CIRCUMSTANCES = Circumstances("run", "2026-01-01T00:00:00+00:00", "2026-01-01T00:01:00+00:00", 60.0, MACHINE)


def judge(truth, *, generations=8, count=None, status="complete", fail_on=FailOn.ESTIMATE, change=None):
    plan = replace(make_plan(generations), fail_on=fail_on)
    sealed = make_run(plan, truth, count)
    if change is not None:
        sealed = [(replace(line, **change), rows) for line, rows in sealed]
    end = EndLine(status=status, stop_reason="the planned generations are measured", at="", decided=True)
    lines = [line for line, _ in sealed]
    return judge_run(Sealed(plan, lines, gather(2, sealed), None, end), CIRCUMSTANCES)


def contrast_of(result, metric, endpoint=None):
    return next(one for one in result.contrasts if one.metric == metric and one.endpoint == endpoint)


def check_of(result, name):
    return next(one for one in result.checks if one.name == name)


def test_a_large_gain_is_improved_and_told():
    result = judge(Truth(effect=math.log(0.4), cpu_effect=-0.5))
    assert result.verdict.verdict is Verdict.IMPROVED
    assert result.verdict.exit_code == 0
    assert "faster" in result.verdict.headline
    effect = contrast_of(result, "latency_mean").effect
    assert effect.low < effect.estimate < effect.high
    assert effect.estimate == pytest.approx(-0.6, abs=0.02)


def test_a_loss_is_regressed_and_exits_with_1():
    result = judge(Truth(effect=0.1))
    assert result.verdict.verdict is Verdict.REGRESSED
    assert result.verdict.exit_code == 1


def test_a_loss_within_the_margin_fails_only_the_stricter_gate():
    truth = Truth(effect=0.015, noise=0.001, start_effect=0.0, pairs=4000)
    assert judge(truth).verdict.exit_code == 0
    assert judge(truth, fail_on=FailOn.DETECTED).verdict.exit_code == 1
    assert judge(truth, fail_on=FailOn.CERTAIN).verdict.exit_code == 0


def test_no_difference_is_equivalent_where_the_noise_allows():
    result = judge(Truth(noise=0.001, start_effect=0.005, pairs=2000), generations=16)
    assert result.verdict.verdict is Verdict.EQUIVALENT


def test_too_much_noise_is_inconclusive_and_says_what_would_settle_it():
    result = judge(Truth(noise=0.08))
    assert result.verdict.verdict is Verdict.INCONCLUSIVE
    mean = contrast_of(result, "latency_mean")
    assert mean.smallest_detectable > 0.05
    assert mean.more_minutes > 0


def test_the_start_order_is_modelled_and_does_not_leak_into_the_effect():
    result = judge(Truth(start_effect=0.05, noise=0.001, pairs=2000))
    mean = contrast_of(result, "latency_mean")
    assert abs(mean.effect.estimate) < 0.01
    assert mean.start_effect == pytest.approx(0.05, abs=0.01)
    assert mean.df == mean.generations - 2


@pytest.mark.parametrize("outcome", [Outcome.SERVER_ERROR, Outcome.TOO_MANY_REQUESTS, Outcome.CHECK_FAILED])
def test_a_new_failure_class_is_never_an_improvement(outcome):
    result = judge(Truth(effect=-0.5, errors=(0.0, 0.0004), outcome=outcome, pairs=3000))
    assert check_of(result, "new failures").status is CheckStatus.WARN
    assert result.verdict.verdict is not Verdict.IMPROVED


def test_failing_fast_is_not_fast():
    """Latency is compared where both sides answered well; the failures show as errors."""
    result = judge(Truth(errors=(0.0, 0.3)))
    assert contrast_of(result, "errors").verdict is Verdict.REGRESSED
    assert abs(contrast_of(result, "latency_mean").effect.estimate) < 0.05
    assert result.verdict.exit_code == 1


def test_errors_are_compared_by_difference():
    effect = contrast_of(judge(Truth(errors=(0.02, 0.02))), "errors").effect
    assert effect.kind == "difference"
    assert abs(effect.estimate) < 0.02


def test_a_quantile_without_enough_pairs_is_not_measurable_rather_than_zero():
    result = judge(Truth(pairs=120))
    p99 = contrast_of(result, "latency_p99")
    assert not p99.available
    assert p99.effect is None
    assert "needs 2000 pairs in every generation, had 10" in p99.unavailable_reason
    assert not contrast_of(result, "latency_p95").available


def test_cpu_that_cannot_be_read_is_unavailable():
    from loadstone.record.journal import CpuSeconds

    unknown = CpuSeconds(server_s=None, database_s=None, cache_s=None)
    result = judge(Truth(), change={"cpu": [unknown, unknown]})
    assert not contrast_of(result, "cpu").available


def test_deferred_work_makes_latency_invalid_but_not_cpu():
    result = judge(Truth(effect=-0.24, gap_effect=0.0, pairs=3000))
    assert check_of(result, "quiet gaps").status is CheckStatus.FAIL
    assert contrast_of(result, "latency_mean").verdict is Verdict.INVALID
    assert contrast_of(result, "cpu").verdict is not Verdict.INVALID
    assert result.verdict.verdict is Verdict.INVALID
    assert result.verdict.exit_code == 3


def test_parted_journeys_make_the_run_invalid():
    result = judge(Truth(), change={"diverged": 200})
    assert result.run.status is RunStatus.INVALID
    assert result.verdict.exit_code == 3


def test_too_few_generations_give_no_verdict():
    result = judge(Truth(effect=-0.5), count=4, status="partial")
    assert result.contrasts == []
    assert result.verdict.verdict is Verdict.INCONCLUSIVE
    assert result.run.status is RunStatus.PARTIAL
    assert len(result.generations) == 4


def test_a_run_cut_short_after_the_first_look_keeps_its_error_rate():
    plan = make_plan(16)
    rules = rules_at(plan, 9, ended=True)
    assert rules.generations == 8
    assert rules_at(plan, 9, ended=False) is None
    assert rules_at(plan, 8, ended=False).gating.nominal_p(8) < rules.gating.nominal_p(8)


def test_a_run_ended_by_its_budget_at_a_look_spends_what_is_left():
    plan = make_plan(16)
    decided = rules_at(plan, 8, ended=True, decided=True)
    spent = rules_at(plan, 8, ended=True, decided=False)
    assert spent.generations == decided.generations == 8
    assert spent.gating.nominal_p(8) > decided.gating.nominal_p(8)


def test_cpu_of_which_a_part_is_unknown_is_unavailable_as_a_whole():
    from loadstone.record.journal import CpuSeconds

    partly = CpuSeconds(server_s=1.0, database_s=None, cache_s=0.0)
    result = judge(Truth(), change={"cpu": [partly, partly]})
    assert not contrast_of(result, "cpu").available
    assert contrast_of(result, "cpu_server").available
    assert check_of(result, "gating metrics").status is CheckStatus.WARN


def test_a_generation_that_ended_early_is_told():
    result = judge(Truth(), change={"stopped_early": "every user stopped", "duration_s": 2.0})
    assert check_of(result, "plan").status is CheckStatus.WARN
    assert "every user stopped" in check_of(result, "plan").message


def test_every_look_so_far_is_kept_and_the_last_is_the_effect():
    mean = contrast_of(judge(Truth()), "latency_mean")
    assert [look.generations for look in mean.looks] == [6, 8]
    assert mean.looks[-1].effect == mean.effect


def test_interval_and_verdict_never_disagree():
    for seed in range(12):
        result = judge(Truth(effect=0.01 * (seed - 6), seed=seed))
        for one in result.contrasts:
            if one.available:
                low, high = one.effect.low, one.effect.high
                assert one.detected == (low > 0 or high < 0)
                if one.verdict is Verdict.REGRESSED:
                    assert low > 0 if one.direction == "lower" else high < 0
                if one.verdict is Verdict.EQUIVALENT:
                    assert max(abs(math.log1p(low)), abs(math.log1p(high))) <= math.log1p(one.margin) + 1e-12


def test_pairs_with_a_failed_side_are_not_compared():
    plan = make_plan()
    _, rows = make_run(plan, Truth(errors=(0.1, 0.0)))[0]
    kept = rows[comparable(rows, 2)]
    failed = set(rows["pair"][rows["outcome"] != Outcome.OK])
    assert failed
    assert not failed & set(kept["pair"])


def test_judging_is_a_pure_function_of_what_was_sealed():
    assert judge(Truth(effect=0.03)) == judge(Truth(effect=0.03))


def test_diagnostics_do_not_decide():
    plan = make_plan()
    observations = gather(2, make_run(plan, Truth()))
    gating = [one for one in all_contrasts(observations, rules_at(plan, 8, ended=True)) if one.gating]
    assert [one.metric for one in gating] == plan.gating
    assert len(gating) <= 5


def test_diagnostics_are_told_at_a_false_discovery_rate_and_never_disagree_with_it():
    """Over effects from none to clear: interval, detection, verdict and q-value say the same."""
    found = 0
    for seed, effect in enumerate((0.0, 0.004, 0.012, 0.03, -0.008, -0.4)):
        result = judge(Truth(effect=effect, pairs=450, seed=seed), generations=12)
        levels = {one.effect.level for one in result.contrasts if one.available and not one.gating}
        assert len(levels) == 1
        for one in result.contrasts:
            if not one.available:
                continue
            assert (one.q_value is None) == one.gating
            outside = one.effect.low > 0 or one.effect.high < 0
            assert one.detected == outside
            if one.verdict in (Verdict.IMPROVED, Verdict.REGRESSED):
                assert outside
            if not one.gating and abs(one.q_value - result.experiment.alpha) > 1e-12:
                assert one.detected == (one.q_value <= result.experiment.alpha)
                found += one.detected
            if one.looks:
                assert one.looks[-1].effect == one.effect
    assert found > 10


def test_a_diagnosis_alone_among_many_must_be_clearer_than_a_gating_metric():
    gating, diagnostic = (
        next(one for one in judge(Truth(pairs=450)).contrasts if one.available and one.gating is gates)
        for gates in (True, False)
    )
    assert diagnostic.effect.level > gating.effect.level == pytest.approx(0.9975)


def test_only_gating_metrics_ask_for_more_time():
    result = judge(Truth(noise=0.08, pairs=450))
    assert {one.gating for one in result.contrasts if one.more_minutes is not None} == {True}


def test_a_run_out_of_time_counts_more_minutes_by_what_its_generations_took():
    """8 of 16 generations filled the budget: each took twice as long as planned."""
    plan = make_plan(16)
    planned = rules_at(plan, 8, ended=True, decided=False)
    late = rules_at(plan, 8, ended=True, decided=False, out_of_time=True)
    assert planned.turn_s == plan.budget_s / 16
    assert late.turn_s == plan.budget_s / 8
    observations = gather(2, make_run(plan, Truth(noise=0.08), 8))
    slow, quick = (
        next(one for one in all_contrasts(observations, rules) if one.metric == "latency_mean")
        for rules in (late, planned)
    )
    assert slow.more_minutes == pytest.approx(2 * quick.more_minutes)
    assert slow.smallest_detectable == quick.smallest_detectable


@pytest.mark.parametrize("stopping", Stopping)
def test_the_smallest_effect_that_could_be_seen_is_told_in_every_mode(stopping):
    plan = replace(make_plan(8), stopping=stopping)
    observations = gather(2, make_run(plan, Truth(noise=0.08)))
    for one in all_contrasts(observations, rules_at(plan, 8, ended=True)):
        if one.gating and one.verdict is Verdict.INCONCLUSIVE:
            assert one.smallest_detectable > 0.02
            assert one.more_minutes > 0


def test_a_run_with_too_few_generations_says_how_much_longer_the_first_verdict_takes():
    result = judge(Truth(effect=-0.5), count=4, status="partial")
    assert "a verdict needs 6, about 30 s more" in check_of(result, "generations").remedy
