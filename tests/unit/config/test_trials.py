"""Claims and prices become comparisons, in the words of the command line."""

import pytest

from loadstone.config.compile import compile_experiment
from loadstone.config.load import load_project
from loadstone.config.trials import Kind, command_for, find_trials, wish_for
from loadstone.errors import ConfigurationError

TEXT = """\
[target]
command = ["server", "{port}"]
[data]
sizes = ["small", "large"]
[toggles.orm]
choices = ["naive", "joined", "prefetch"]
default = "naive"
env = "APP_ORM"
scenario = "scenarios/browse.py"
given = { cache = "off" }
[toggles.orm.claims.prefetch]
before = "naive"
metric = "cpu_server"
direction = "lower"
at_least = "30%"
given = { cache = "on" }
[toggles.orm.prices.joined]
before = "naive"
metric = "rows"
direction = "higher"
at_least = "5%"
size = "large"
[toggles.cache]
choices = ["off", "on"]
default = "off"
env = "APP_CACHE"
"""
BOTH = tuple(Kind)


@pytest.fixture
def project(tmp_path):
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "browse.py").touch()
    (tmp_path / "loadstone.toml").write_text(TEXT)
    return load_project(tmp_path / "loadstone.toml")


def test_all_is_tried_claims_first(project):
    found = find_trials(project, (), BOTH)
    assert [(one.kind, one.before, one.after, one.size) for one in found] == [
        ("claim", "orm=naive", "orm=prefetch", "small"),
        ("price", "orm=naive", "orm=joined", "large"),
    ]


@pytest.mark.parametrize(
    ("names", "kinds", "after"),
    [(("orm=joined",), BOTH, ["orm=joined"]), (("orm",), (Kind.CLAIM,), ["orm=prefetch"])],
)
def test_some_can_be_picked(project, names, kinds, after):
    assert [one.after for one in find_trials(project, names, kinds)] == after


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("orn", "did you mean 'orm'?"),
        ("orm=joint", "did you mean 'joined'?"),
        ("cache", "nothing is declared"),
    ],
)
def test_what_is_not_declared_cannot_be_tried(project, name, says):
    with pytest.raises(ConfigurationError) as caught:
        find_trials(project, (name,), BOTH)
    assert says in str(caught.value)


def test_a_timed_claim_decides_by_its_metric_and_holds_what_it_says(project):
    claim, price = find_trials(project, (), BOTH, budget="90s")
    experiment = compile_experiment(project, wish_for(claim))
    assert experiment.gating == ("cpu_server", "errors")
    assert {variant.toggles["cache"] for variant in experiment.variants} == {"on"}
    assert experiment.budget_s == 90
    assert experiment.settle == {"cpu_server": -0.3}
    assert compile_experiment(project, wish_for(price)).lanes == ("probe",)


def test_the_command_repeats_the_comparison(project):
    claim, price = find_trials(project, (), BOTH, budget="90s")
    assert command_for(claim) == (
        "loadstone compare orm=naive orm=prefetch --scenario scenarios/browse.py --size small --seed 1 "
        "--with cache=on --settle cpu_server=-30% --budget 90s --gate cpu_server,errors"
    )
    assert command_for(price).endswith("--size large --seed 1 --lane probe")


def test_what_only_simultaneous_requests_show_is_tried_with_as_many(project, tmp_path):
    alone = find_trials(project, ("orm=prefetch",), BOTH)[0]
    (tmp_path / "loadstone.toml").write_text(
        TEXT.replace('at_least = "30%"', 'at_least = "30%"\nin_flight = 8')
    )
    (claim,) = find_trials(load_project(tmp_path / "loadstone.toml"), ("orm=prefetch",), BOTH)
    experiment = compile_experiment(project, wish_for(claim))
    assert (experiment.in_flight, experiment.users) == (8, 8)
    assert "--in-flight 8" in command_for(claim)
    assert "--in-flight" not in command_for(alone)
    assert claim.key != alone.key


def test_another_declaration_budget_or_size_is_another_trial(project):
    keys = {
        one.key
        for size, budget in ((None, None), ("large", None), (None, "1m"))
        for one in find_trials(project, ("orm=prefetch",), BOTH, size=size, budget=budget)
    }
    assert len(keys) == 3
