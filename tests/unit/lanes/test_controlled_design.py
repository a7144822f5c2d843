"""The plan with controls: the same error rate for what is judged, and a cost that the plan could find."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from loadstone.config.controls import with_controls
from loadstone.config.model import Experiment, Recipe, Variant
from loadstone.lanes.design import Noise, Setting, make_plan
from loadstone.record.plan import Control

SCENARIO = Path(__file__)
BEFORE = Variant(
    name="before",
    label="a=1",
    argv=("serve",),
    directory=Path("/"),
    env={},
    recipe=Recipe(prepare=(), size="small", seed=1),
    health_path="/",
    python=Path("/usr/bin/python3"),
)
PLAIN = Experiment(
    title="a=1 → a=2",
    scenario=SCENARIO,
    variants=(BEFORE, replace(BEFORE, name="after")),
    size="small",
    seed=1,
    budget_s=120.0,
)
CONTROLLED = replace(PLAIN, variants=with_controls(PLAIN.variants, in_flight=1, lanes=PLAIN.lanes))


def plan_of(experiment, *, generations=12, **setting):
    return make_plan(
        replace(experiment, max_generations=generations), "loadstone compare", Setting(**setting)
    )


def test_controls_leave_the_boundaries_of_what_is_judged_alone():
    plain, controlled = plan_of(PLAIN), plan_of(CONTROLLED)
    assert controlled.nominal_p == plain.nominal_p
    assert controlled.judged == plain.judged == [1]


def test_a_third_variant_that_is_judged_shares_alpha():
    third = replace(PLAIN, variants=(*PLAIN.variants, replace(BEFORE, name="third")))
    assert plan_of(third).judged == [1, 2]
    assert plan_of(third).nominal_p[-1] == pytest.approx(plan_of(PLAIN).nominal_p[-1] / 2, rel=0.05)


def test_all_four_are_resident_in_slots_of_their_own():
    plan = plan_of(CONTROLLED, tracks=2)
    assert [variant.control for variant in plan.variants] == [None, None, Control.SILENCE, Control.SPEECH]
    for one in plan.generations:
        assert sorted(one.start_order) == sorted(one.slots) == [0, 1, 2, 3]
        assert one.track == one.index % 2


def test_on_a_quiet_machine_the_known_cost_is_twice_what_matters():
    quiet = Noise(pair_sd=0.02, start_sd=0.0005)
    assert plan_of(CONTROLLED, noise=quiet).spike_share == 0.04
    assert plan_of(replace(CONTROLLED, margin=0.01), noise=quiet).spike_share == 0.02


def test_on_a_loud_machine_it_is_what_the_plan_can_see():
    loud = plan_of(CONTROLLED, noise=Noise(pair_sd=0.001, start_sd=0.04)).spike_share
    louder = plan_of(CONTROLLED, noise=Noise(pair_sd=0.001, start_sd=0.08)).spike_share
    assert 0.04 < loud < louder
    assert math.log1p(louder) == pytest.approx(2 * math.log1p(loud), rel=0.05)


def test_without_controls_nothing_is_spun():
    assert plan_of(PLAIN).spike_share == 0.0
