"""`--controls` as a user runs it, and several variants at once, on a small target of somebody's."""

import json
from dataclasses import replace

import pytest

from loadstone.config.compile import Wish, compile_experiment
from loadstone.config.load import load_project
from loadstone.lanes.conductor import Options, conduct
from loadstone.lanes.view import Silent

WORDS = ("speed=slow", "speed=fast", "--controls", "--budget", "30s", "--margin", "10%")
GATE = ("--gate", "latency_mean,errors")


@pytest.fixture(scope="module")
def controlled(tmp_path_factory):
    """One real comparison with both controls; its tests change nothing of it.

    The known cost is 20% or more, far above the noise. In at most 2% of sound runs chance fails a control.
    """
    from projects import make_project

    project = make_project(tmp_path_factory.mktemp("project"))
    ran = project.run("compare", *WORDS, *GATE)
    return project, ran, json.loads((project.runs()[0] / "result.json").read_text())


def test_a_copy_is_called_no_different_and_a_known_cost_is_found(controlled):
    _, ran, result = controlled
    assert ran.returncode == 0, ran.stdout + ran.stderr
    told = {(one["control"], one["contrast"]["metric"]): one for one in result["controls"]}
    assert set(told) == {("silence", "latency_mean"), ("silence", "errors"), ("speech", "latency_mean")}
    assert {one["status"] for one in result["controls"]} == {"ok"}
    spoken = told["speech", "latency_mean"]
    assert spoken["truth"] >= 0.15
    assert spoken["contrast"]["detected"]


def test_the_verdict_is_about_before_and_after_alone(controlled):
    _, ran, result = controlled
    assert result["verdict"]["verdict"] == "improved"
    assert {one["variant"] for one in result["contrasts"]} == {"after"}
    assert {one["effect"]["level"] for one in result["contrasts"] if one["gating"]} == {1 - 0.01 / 2}
    head, _, rest = ran.stdout.partition("\nControls\n")
    assert "copy" not in head
    assert "silent" in rest
    assert "seen" in rest


def test_all_four_were_resident_each_in_a_slot_of_its_own(controlled):
    _, _, result = controlled
    for one in result["generations"]:
        assert sorted(one["start_order"]) == ["after", "before", "copy", "spiked"]
        assert sorted(one["slots"].values()) == [0, 1, 2, 3]


def test_a_run_with_controls_is_verified_to_the_last_bit(controlled):
    project, _, _ = controlled
    ran = project.run("verify")
    assert ran.returncode == 0, ran.stdout
    assert "SAME" in ran.stdout


@pytest.mark.parametrize(
    ("words", "says"), [(("--in-flight", "2"), "pairs in flight"), (("--lane", "probe"), "nothing is timed")]
)
def test_controls_that_could_show_nothing_are_refused(project, words, says):
    ran = project.run("compare", "speed=slow", "speed=fast", "--controls", *words)
    assert ran.returncode == 2
    assert says in ran.stderr
    assert not project.runs()


def several(project, third):
    """Compare slow with fast and with a third variant, all three judged."""
    loaded = load_project(project.folder / "loadstone.toml")
    wish = Wish(before="speed=slow", after="speed=fast", budget="20s", gating=("latency_mean", "errors"))
    experiment = compile_experiment(loaded, wish)
    after = experiment.variants[1]
    variant = replace(after, name="third", label="third", env={**after.env, **third})
    experiment = replace(experiment, variants=(*experiment.variants, variant))
    return conduct(experiment, Options(loaded.state, loaded.reports, "loadstone compare"), Silent())


def test_a_third_variant_is_judged_against_before_too(project):
    outcome = several(project, {"SPEED": "slow"})
    assert outcome.error is None
    result = outcome.result
    means = {one.variant: one for one in result.contrasts if one.metric == "latency_mean" and one.gating}
    assert set(means) == {"after", "third"}
    assert means["after"].effect.high < 0
    assert means["third"].effect.low < 0.1
    assert {one.effect.level for one in means.values()} == {1 - 0.01 / 4}
    assert {fact.variant for fact in result.probe.facts} == {"before", "after", "third"}
    assert result.controls == []
    assert "third" in (outcome.folder / "report.html").read_text()


def test_a_third_variant_that_answers_something_else_is_noticed(project):
    outcome = several(project, {"ANSWER": "wrong"})
    assert outcome.error is not None
    assert "different payloads" in outcome.error.problem
    payload = outcome.result.probe.payload
    assert 0 < payload.equal < payload.checked
