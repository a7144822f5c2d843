"""Latencies at one pace: the same effect with less noise, and never at a variant's expense."""

import numpy as np
import pytest
from msgspec.structs import replace
from runs import Truth, make_plan, make_run

from loadstone.record.journal import CpuSeconds
from loadstone.record.result import CheckStatus
from loadstone.stats.inference import contrasts, fit
from loadstone.verdict.checks.pairing import check_quiet_gaps
from loadstone.verdict.checks.surroundings import check_pace
from loadstone.verdict.contrasts import start_positions
from loadstone.verdict.levels import gather, levels
from loadstone.verdict.metrics import BY_NAME
from loadstone.verdict.rules import rules_at

PLAN = make_plan(16)
FOUR = make_plan(16, names=("before", "after", "copy", "other"))


def sealed(*, noise=0.3, touched=0.0, effect=0.0, seed=1, plan=PLAN, others=()):
    """Return a made-up run on a host whose pace changes from request to request, by `noise`."""
    rng = np.random.default_rng(seed)
    truth = Truth(effect=effect, others=others, noise=0.0, start_effect=0.0, pairs=300, seed=seed)
    run = make_run(plan, truth)
    made = []
    for line, rows in run:
        pace = noise * rng.standard_normal(rows.size)
        rows["service_us"] = rows["service_us"] * np.exp(pace)
        rows["pace"] = 9.8 + pace + touched * (rows["variant"] == 1)
        rows["cpu_us"] = np.maximum(1, rows["service_us"])
        used = [
            float(rows["cpu_us"][rows["variant"] == variant].sum()) / 1e6
            for variant in range(2 + len(others))
        ]
        cpu = [CpuSeconds(server_s=one, database_s=0.0, cache_s=0.0) for one in used]
        made.append((replace(line, cpu=cpu), rows))
    return made


def fitted(run, metric: str = "latency_mean"):
    observations = gather(2, run)
    table = levels(observations, BY_NAME[metric], None)
    d, s = contrasts(table, start_positions(PLAN, observations.count))
    return fit(d[:, 0], s[:, 0]), observations.pace


def without_pace(run):
    for _, rows in run:
        rows["pace"] = 0.0
    return run


@pytest.mark.parametrize("metric", ["latency_mean", "latency_p50", "cpu"])
def test_the_pace_takes_noise_away_and_leaves_the_effect(metric):
    adjusted, pace = fitted(sealed(effect=0.05), metric)
    plain, _ = fitted(without_pace(sealed(effect=0.05)), metric)
    assert adjusted.residual_sd < plain.residual_sd / 2
    field = "cpu_us" if metric == "cpu" else "service_us"
    assert pace.explained[field] > 0.8
    if metric != "cpu":
        assert adjusted.estimate == pytest.approx(0.05, abs=4 * adjusted.se + 0.002)


def test_a_variant_that_slows_the_sampler_is_not_given_credit_for_it():
    """As a variant that thrashes caches might: the paces differ, so none is used."""
    touched, pace = fitted(sealed(noise=0.05, touched=0.02))
    plain, _ = fitted(without_pace(sealed(noise=0.05, touched=0.02)))
    assert pace.touched
    assert pace.difference == pytest.approx(0.02, abs=0.01)
    assert touched == plain


def test_effects_of_several_variants_are_no_noise():
    """After is 63% faster than before and than the two copies; the slope is that of two copies alone."""
    four = gather(4, sealed(plan=FOUR, effect=-1.0, others=(0.0, 0.04))).pace
    two = gather(2, sealed()).pace
    for field in ("service_us", "cpu_us"):
        np.testing.assert_allclose(four.slopes[field], two.slopes[field], atol=0.03)
        assert four.explained[field] == pytest.approx(two.explained[field], abs=0.03)


def test_one_of_several_variants_that_slows_the_sampler_is_enough():
    pace = gather(4, sealed(plan=FOUR, noise=0.05, touched=0.02, others=(0.0, 0.0))).pace
    assert pace.touched
    assert pace.difference == pytest.approx(0.02, abs=0.01)


def test_chance_alone_does_not_make_the_pace_look_touched():
    """At p = 0.001 and a least size, 40 clean runs show none (in truth at most one in a thousand)."""
    assert not any(fitted(sealed(seed=seed))[1].touched for seed in range(40))


def test_unknown_pace_changes_nothing():
    run = without_pace(sealed())
    observations = gather(2, run)
    for measured in observations.generations:
        np.testing.assert_array_equal(measured.latency_us, measured.rows["service_us"])


def test_cpu_that_does_not_add_up_is_not_told_request_by_request():
    """Work of processes that came and went is in the kernel's sum only, which is then used."""
    run = sealed()
    assert gather(2, run).generations[0].cpu_us is not None
    line, rows = run[3]
    lost = CpuSeconds(server_s=line.cpu[1].server_s, database_s=100.0, cache_s=0.0)
    run[3] = replace(line, cpu=[line.cpu[0], lost]), rows
    observations = gather(2, run)
    assert all(measured.cpu_us is None for measured in observations.generations)
    assert np.isfinite(levels(observations, BY_NAME["cpu"], None)).all()


def test_the_report_says_whether_the_pace_was_used():
    plan = replace(PLAN, pace=True)
    told = check_pace(gather(2, sealed()), plan)
    assert told.status is CheckStatus.OK
    assert "explains 97% of the noise" in told.message
    touched = check_pace(gather(2, sealed(noise=0.05, touched=0.02)), plan)
    assert touched.status is CheckStatus.WARN
    assert "as recorded" in touched.message
    assert "not sampled" in check_pace(gather(2, sealed()), PLAN).message


def test_a_difference_between_alone_and_in_company_is_told_and_does_not_invalidate():
    run = make_run(PLAN, Truth(effect=0.20, gap_effect=0.02, pairs=600))
    alone = check_quiet_gaps(gather(2, run), PLAN, rules_at(PLAN, 16, ended=True))
    company = replace(PLAN, in_flight=4)
    told = check_quiet_gaps(gather(2, run), company, rules_at(company, 16, ended=True))
    assert alone.status is CheckStatus.FAIL
    assert told.status is CheckStatus.WARN
    assert "with 4 pairs in flight" in told.message
