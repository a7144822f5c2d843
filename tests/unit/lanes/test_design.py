"""From an experiment and what is known of the machine to the plan."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from runs import Truth, make_run
from runs import make_plan as make_plan_of_runs

from loadstone.cli.progress import describe_plan
from loadstone.config.model import Experiment, Recipe, Variant
from loadstone.errors import ConfigurationError
from loadstone.lanes.design import ASSUMED, Noise, Setting, make_plan, seconds_needed
from loadstone.lanes.floor import _told as told
from loadstone.lanes.floor import outlook
from loadstone.lanes.posts import choose_setting, noise_of
from loadstone.record.noise import NoiseProfile
from loadstone.verdict.checks.amounts import check_pairs
from loadstone.verdict.levels import gather

BEFORE = Variant(
    name="before",
    label="a=1",
    argv=("serve", "{port}"),
    directory=Path("/"),
    env={},
    recipe=Recipe((), "small", 1),
    health_path="/",
    python=Path(sys.executable),
)
EXPERIMENT = Experiment(
    title="a=1 → a=2",
    scenario=Path(__file__),
    variants=(BEFORE, replace(BEFORE, name="after")),
    size="small",
    seed=1,
)
PROFILE = NoiseProfile(
    fingerprint="this",
    measured_at="2026-11-24T10:00:00+00:00",
    loadstone_version="test",
    tracks=2,
    pinned=True,
    generations=16,
    generation_s=2.5,
    pairs=3000,
    request_s=0.005,
    pair_sd=0.3,
    start_sd=0.006,
    start_sd_low=0.001,
    start_sd_high=0.01,
    start_sd_moment=0.0,
    turnover_s=1.0,
    pair_overhead_s=0.0006,
    pace_explained=0.25,
    steal=0.001,
    others_busy=0.0,
)


def test_a_noisier_machine_is_expected_to_see_less():
    quiet, noisy = (make_plan(EXPERIMENT, "", Setting(noise=Noise(pair_sd=sd))) for sd in (0.1, 0.3))
    assert 0.0 < quiet.expected_effect < noisy.expected_effect


def test_what_the_probe_saw_of_the_target_decides_over_what_is_usual():
    slow, fast = (make_plan(EXPERIMENT, "", Setting(turnover_s=seconds)) for seconds in (8.0, 1.0))
    assert slow.max_generations < fast.max_generations
    for plan, turnover_s in ((slow, 8.0), (fast, 1.0)):
        spent_s = plan.max_generations * (plan.generation_s + turnover_s)
        assert spent_s == pytest.approx(EXPERIMENT.budget_s, abs=0.1)


def test_a_budget_too_short_is_refused_before_anything_starts_and_not_after_the_probe():
    short = replace(EXPERIMENT, budget_s=20.0)
    with pytest.raises(ConfigurationError, match="too short for a verdict"):
        make_plan(short, "")
    assert make_plan(short, "", Setting(turnover_s=9.0)).max_generations == 6


def test_as_many_generations_as_were_asked_for_are_planned_and_what_they_see_is_told():
    plan = make_plan(replace(EXPERIMENT, max_generations=8), "", Setting(turnover_s=3.0))
    assert plan.max_generations == 8
    assert plan.generation_s == pytest.approx(120.0 / 8 - 3.0)
    planned = make_plan(EXPERIMENT, "", Setting(turnover_s=3.0))
    assert plan.expected_effect > planned.expected_effect


def test_the_plan_says_what_it_expects_and_by_which_noise():
    told = describe_plan(make_plan(EXPERIMENT, "", Setting(noise=noise_of(PROFILE)))).splitlines()
    assert len(told) == 2
    assert "at most 2 min" in told[0]
    assert told[1].startswith("expects to see a change of ")
    assert "80% power" in told[1]
    assert told[1].endswith("noise measured 2026-11-24")
    assert "doctor --noise" in describe_plan(make_plan(EXPERIMENT, ""))


def test_nothing_is_expected_of_a_latency_that_does_not_decide():
    plan = make_plan(replace(EXPERIMENT, gating=("cpu",)), "")
    assert plan.expected_effect is None
    assert "\n" not in describe_plan(plan)


def test_a_profile_measured_beside_other_programs_says_so():
    assert "others used 80% of the CPU" in noise_of(replace_profile(others_busy=0.8)).source


def replace_profile(**fields) -> NoiseProfile:
    values = {name: getattr(PROFILE, name) for name in PROFILE.__struct_fields__}
    return NoiseProfile(**{**values, **fields})


def test_a_profile_is_planned_with_where_tracks_are_bound_as_they_were():
    pinned = choose_setting(EXPERIMENT, external=False).pinned
    fitting, other = (replace_profile(pinned=one) for one in (pinned, not pinned))
    assert choose_setting(EXPERIMENT, external=False, profile=fitting).noise == noise_of(PROFILE)
    assert choose_setting(EXPERIMENT, external=False, profile=other).noise.source == ASSUMED
    several = replace(EXPERIMENT, in_flight=4, users=4)
    assert choose_setting(several, external=False, profile=replace_profile(pinned=False)).noise == Noise()


def test_two_tracks_see_an_effect_in_half_the_time():
    one, two = (seconds_needed(EXPERIMENT, Setting(tracks=tracks), 0.01, 0.8, 3600.0) for tracks in (1, 2))
    assert two == pytest.approx(one / 2)


def test_a_remedy_names_the_option_of_the_command_that_shows_it():
    lines = make_run(make_plan_of_runs(6), Truth(pairs=20, endpoints=("GET /work",)))
    warning = check_pairs(gather(2, lines))
    assert "--budget" in warning.remedy
    assert told(warning).remedy == "give it more time: a longer --for"


def test_the_outlook_agrees_with_the_plan_and_does_not_promise_the_impossible():
    rows = outlook(PROFILE, 0.01, (), [0.008])
    known = {(one.effect, one.power): one.seconds for one in rows}
    assert known[0.0025, 0.95] is None
    assert known[0.05, 0.8] <= known[0.02, 0.8] < known[0.01, 0.8] < known[0.01, 0.95]
    setting = Setting(tracks=2, noise=noise_of(PROFILE), request_s=0.008)
    plan = make_plan(replace(EXPERIMENT, budget_s=known[0.01, 0.8]), "", setting)
    assert plan.expected_effect == pytest.approx(0.01, rel=0.03)
