"""The words of the command line become two frozen variants."""

import dataclasses
from pathlib import Path

import pytest
from msgspec.structs import replace

from loadstone.config.compile import Wish, compile_experiment
from loadstone.config.load import Project, load_project
from loadstone.config.model import Source
from loadstone.config.sides import parse_choices, split_side
from loadstone.errors import ConfigurationError
from loadstone.lanes.design import make_plan
from loadstone.stats.repeated import Stopping

CONFIG = """\
[target]
command = ["{python}", "server.py", "{port}"]
[target.env]
SECRET_KEY = "{secret}"
[data]
prepare = [["seed", "{size}"]]
sizes = ["small", "large"]
inputs = ["*.py"]
[compare]
scenario = "browse.py"
[toggles.orm]
choices = ["naive", "prefetch"]
default = "naive"
env = "APP_ORM"
scenario = "orm.py"
given = {cache = "off"}
normalise = ["envelope"]
[toggles.cache]
choices = ["off", "on"]
default = "on"
env = "APP_CACHE"
[toggles.indexes]
choices = ["none", "one"]
default = "none"
env = "APP_INDEXES"
scope = "schema"
[toggles.indexes.ddl]
one = ["CREATE INDEX i ON t (a)"]
[rules.envelope]
unwrap = "results"
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    for name in ("browse.py", "orm.py", "server.py"):
        (tmp_path / name).write_text("# empty\n")
    (tmp_path / "loadstone.toml").write_text(CONFIG)
    return load_project(tmp_path / "loadstone.toml")


def test_a_process_toggle_sets_the_environment_and_shares_the_recipe(project):
    experiment = compile_experiment(project, Wish("orm=naive", "orm=prefetch"))
    before, after = experiment.variants
    assert (before.env["APP_ORM"], after.env["APP_ORM"]) == ("naive", "prefetch")
    assert before.recipe.key == after.recipe.key
    assert [rule.name for rule in experiment.rules] == ["envelope"]


def test_what_a_toggle_gives_is_held_on_both_sides(project):
    experiment = compile_experiment(project, Wish("orm=naive", "orm=prefetch"))
    assert {variant.env["APP_CACHE"] for variant in experiment.variants} == {"off"}
    held = compile_experiment(project, Wish("orm=naive", "orm=prefetch", held=("cache=on",)))
    assert {variant.env["APP_CACHE"] for variant in held.variants} == {"on"}


def test_a_schema_toggle_changes_the_recipe_only(project):
    before, after = compile_experiment(project, Wish("indexes=none", "indexes=one")).variants
    assert after.recipe.ddl == ("CREATE INDEX i ON t (a)",)
    assert before.recipe.key != after.recipe.key


def test_a_change_of_the_inputs_changes_the_recipe(project):
    first = compile_experiment(project, Wish("orm=naive", "orm=prefetch")).variants[0].recipe.key
    (project.root / "server.py").write_text("# other\n")
    assert compile_experiment(project, Wish("orm=naive", "orm=prefetch")).variants[0].recipe.key != first


def test_a_wide_glob_of_inputs_means_the_project_and_not_its_environment(project):
    raw = replace(project.raw, data=replace(project.raw.data, inputs=["**/*.py"]))
    wide = dataclasses.replace(project, raw=raw)
    first = compile_experiment(wide, Wish("orm=naive", "orm=prefetch")).variants[0].recipe.key
    for name in (".venv/lib/x.py", ".loadstone/checkouts/x.py"):
        (wide.root / name).parent.mkdir(parents=True)
        (wide.root / name).write_text("other = 1\n")
    assert compile_experiment(wide, Wish("orm=naive", "orm=prefetch")).variants[0].recipe.key == first


def test_the_scenario_is_the_toggles_own_unless_named(project):
    assert compile_experiment(project, Wish("orm=naive", "orm=prefetch")).scenario.name == "orm.py"
    assert compile_experiment(project, Wish("cache=off", "cache=on")).scenario.name == "browse.py"


def test_secrets_are_random_and_alike_on_both_sides(project):
    first = compile_experiment(project, Wish("orm=naive", "orm=prefetch"))
    second = compile_experiment(project, Wish("orm=naive", "orm=prefetch"))
    keys = [variant.env["SECRET_KEY"] for variant in (*first.variants, *second.variants)]
    assert keys[0] == keys[1] != keys[2] == keys[3]
    assert len(keys[0]) > 40


def test_equal_variants_need_permission(project):
    with pytest.raises(ConfigurationError, match="both variants are the same") as caught:
        compile_experiment(project, Wish("orm=naive", "orm=naive"))
    assert "--allow-identical" in caught.value.remedy
    assert compile_experiment(project, Wish("orm=naive", "orm=naive", allow_identical=True))


def test_equal_in_effect_counts_as_equal(project):
    """A default that is spelled out is no difference."""
    with pytest.raises(ConfigurationError, match="both variants are the same"):
        compile_experiment(project, Wish("orm=naive", "orm=naive,indexes=none"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("orn=naive", "did you mean 'orm'?"),
        ("orm=naiv", "did you mean 'naive'?"),
        ("orm", "TOGGLE=CHOICE"),
        ("orm=", "TOGGLE=CHOICE"),
        ("", "TOGGLE=CHOICE"),
        ("orm=naive,orm=prefetch", "name it once"),
    ],
)
def test_a_bad_choice_is_one_error_with_a_remedy(project, text, says):
    with pytest.raises(ConfigurationError) as caught:
        parse_choices(project, text)
    assert says in caught.value.remedy


@pytest.mark.parametrize(
    "wish",
    [
        Wish("orm=naive", "orm=prefetch", size="smal"),
        Wish("orm=naive", "orm=prefetch", scenario="brows"),
        Wish("orm=naive", "orm=prefetch", users=0),
        Wish("orm=naive", "orm=prefetch", budget="soon"),
        Wish("orm=naive", "orm=prefetch", margin="0"),
    ],
)
def test_bad_options_are_errors(project, wish):
    with pytest.raises(ConfigurationError):
        compile_experiment(project, wish)


def test_without_a_planned_end_the_budget_is_a_generous_cap(project):
    open_ended = compile_experiment(project, Wish("orm=naive", "orm=prefetch", anytime=True))
    assert open_ended.stopping is Stopping.ANYTIME
    assert open_ended.budget_s == 1800.0
    capped = compile_experiment(project, Wish("orm=naive", "orm=prefetch", anytime=True, budget="5m"))
    assert capped.budget_s == 300.0


@pytest.mark.parametrize("lane", ["probe", "load"])
def test_only_pairs_go_on_without_a_planned_end(project, lane):
    with pytest.raises(ConfigurationError, match="has an end of its own"):
        compile_experiment(project, Wish("orm=naive", "orm=prefetch", anytime=True, lane=lane))


def test_a_plan_without_a_planned_end_looks_after_every_generation_and_keeps_them_short(project):
    wish = Wish("orm=naive", "orm=prefetch", anytime=True)
    plan = make_plan(compile_experiment(project, wish), "loadstone compare")
    assert plan.looks == list(range(6, plan.max_generations + 1))
    assert plan.max_generations * (plan.generation_s + 4) <= 1800 * 1.01
    planned = make_plan(
        compile_experiment(project, Wish("orm=naive", "orm=prefetch", budget="3m")), "loadstone compare"
    )
    assert plan.generation_s == planned.generation_s
    assert plan.max_generations > planned.max_generations
    assert all(0 < p < plan.alpha for p in plan.nominal_p)


def test_a_plan_of_exact_facts_alone_measures_no_generation(project):
    plan = make_plan(compile_experiment(project, Wish("orm=naive", "orm=prefetch", lane="probe")), "")
    assert plan.lanes == ("probe",)
    assert plan.generations == plan.looks == plan.gating == []


def test_a_side_is_a_commit_choices_or_both():
    assert split_side("main") == ("main", "")
    assert split_side("orm=naive,cache=on") == ("", "orm=naive,cache=on")
    assert split_side("main, orm=naive") == ("main", "orm=naive")
    assert split_side(".") == ("", "")
    with pytest.raises(ConfigurationError, match="names main and v2"):
        split_side("main,v2")


def test_a_commit_gives_a_variant_its_folder_interpreter_data_and_origin(project):
    old = Source(project.root / "old", "a" * 40, {"commit": "a" * 40}, Path("/env/bin/python"))
    experiment = compile_experiment(project, Wish("main", "."), (old, None))
    before, after = experiment.variants
    assert before.directory.is_relative_to((project.root / "old").resolve())
    assert (before.python, before.provenance) == (Path("/env/bin/python"), {"commit": "a" * 40})
    assert after.provenance == {}
    assert before.toggles == after.toggles
    with pytest.raises(ConfigurationError, match="the same commit and choices") as caught:
        compile_experiment(project, Wish("main", "HEAD"), (old, old))
    assert "same" in caught.value.problem


def test_commits_with_other_code_have_other_data_unless_the_files_that_shape_it_are_named(project):
    sides = tuple(Source(project.root, letter * 40, {}) for letter in "ab")
    named = compile_experiment(project, Wish("one", "two"), sides)
    assert named.variants[0].recipe.key == named.variants[1].recipe.key
    raw = replace(project.raw, data=replace(project.raw.data, inputs=[]))
    unnamed = compile_experiment(dataclasses.replace(project, raw=raw), Wish("one", "two"), sides)
    assert unnamed.variants[0].recipe.key != unnamed.variants[1].recipe.key


def test_a_change_that_an_interval_is_to_leave_out_goes_into_the_plan(project):
    wish = Wish("orm=naive", "orm=prefetch", settle=("latency_mean = -3%", "cpu=+2.5%"))
    experiment = compile_experiment(project, wish)
    assert make_plan(experiment, "loadstone compare").settle == {"latency_mean": -0.03, "cpu": 0.025}


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"settle": ("cpu",)}, "'cpu' is no change of a metric"),
        ({"settle": ("cpu=0%",)}, "'cpu=0%' is no change of a metric"),
        ({"settle": ("cpu=-3",)}, "'cpu=-3' is no change of a metric"),
        ({"settle": ("cqu=-3%",)}, "there is no metric 'cqu'"),
        ({"settle": ("throughput=-3%",)}, "'throughput' cannot be settled"),
        ({"settle": ("errors=-3%",)}, "'errors' cannot be settled"),
        ({"settle": ("cpu=-3%",), "lane": "probe"}, "the probe lane settles no changes"),
    ],
)
def test_what_cannot_be_settled_says_why(project, fields, problem):
    with pytest.raises(ConfigurationError) as caught:
        compile_experiment(project, Wish("orm=naive", "orm=prefetch", **fields))
    assert problem in caught.value.problem
