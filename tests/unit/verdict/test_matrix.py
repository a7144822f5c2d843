"""A matrix, judged from the results of its comparisons."""

import dataclasses
import math

import numpy as np
import pytest
from matrices import LOGS, PLAN, TOLD, partial, results_of
from msgspec.structs import replace

from loadstone.record.result import RunStatus
from loadstone.verdict.matrix import judge_matrix


@pytest.fixture(scope="module")
def judged():
    return judge_matrix(PLAN, results_of(PLAN), TOLD)


def effects(result, metric="latency_mean"):
    return {tuple(one.factors): one for one in result.effects if one.metric == metric}


def test_effects_are_the_ratios_that_were_put_in(judged):
    found = effects(judged)
    orm = np.mean([LOGS[1, cache, page] - LOGS[0, cache, page] for cache in (0, 1) for page in (0, 1)])
    assert found["orm",].effect.estimate == pytest.approx(math.expm1(orm), abs=0.02)
    assert found["orm",].detected
    for one in found.values():
        assert one.effect.low < one.effect.estimate < one.effect.high
        assert one.effect.level == pytest.approx(1 - 0.01 / 6)


def test_an_interaction_is_the_ratio_of_one_effect_to_the_other(judged):
    """Cache gains 40% without orm and nearly nothing with it: together they gain less."""
    one = effects(judged)["orm", "cache"]
    with_orm = np.mean([LOGS[1, 1, page] - LOGS[1, 0, page] for page in (0, 1)])
    without = np.mean([LOGS[0, 1, page] - LOGS[0, 0, page] for page in (0, 1)])
    assert one.effect.estimate == pytest.approx(math.expm1(with_orm - without), abs=0.04)
    assert one.detected
    assert one.effect.low > 0


def test_the_ranking_takes_what_gains_most_given_what_is_before_it(judged):
    steps = judged.steps
    assert [one.factor for one in steps] == ["orm", "pagination", "cache"]
    assert steps[0].change == pytest.approx(math.expm1(LOGS[1, 0, 0]), abs=0.02)
    assert steps[-1].latency_us == pytest.approx(50_000 * math.exp(LOGS[1, 1, 1]), rel=0.03)
    assert not any(one.predicted for one in steps)


def test_the_front_is_of_speed_and_of_what_is_held(judged):
    best = [tuple(one.on) for one in judged.cells if one.best]
    assert () in best
    assert ("orm",) in best
    assert ("cache",) not in best
    assert all((one.extra_bytes or 0) == 1_000_000 * len(one.on) for one in judged.cells)


def test_half_a_design_says_what_it_mixes_and_predicts_by_main_effects():
    plan = partial()
    result = judge_matrix(plan, results_of(plan), TOLD)
    pairs = [one for one in result.effects if len(one.factors) == 2 and one.metric == "cpu"]
    assert len(pairs) == 3
    assert all(one.aliases for one in pairs)
    assert len(result.steps) == 4
    assert all(one.predicted for one in result.steps)


def test_without_all_combinations_there_are_no_effects():
    told = dataclasses.replace(TOLD, interrupted=True)
    result = judge_matrix(PLAN, results_of(PLAN)[:2], told)
    assert (result.effects, result.steps, result.status, result.exit_code) == ([], [], "partial", 130)
    assert len(result.cells) == 1 + len(PLAN.blocks[0]) + len(PLAN.blocks[1])


def test_a_comparison_that_cannot_be_believed_makes_the_matrix_invalid():
    first, *others = results_of(PLAN)
    bad = replace(first, run=replace(first.run, status=RunStatus.INVALID))
    result = judge_matrix(PLAN, [bad, *others], TOLD)
    assert (result.status, result.exit_code) == ("invalid", 3)


def test_a_metric_that_one_comparison_could_not_measure_has_no_effects():
    first, *others = results_of(PLAN)
    bare = [replace(one, levels={"latency_mean": one.levels["latency_mean"]}) for one in first.generations]
    result = judge_matrix(PLAN, [replace(first, generations=bare), *others], TOLD)
    assert effects(result, "cpu") == {}
    assert len(effects(result)) == 6
