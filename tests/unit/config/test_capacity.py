"""From the command line to a search."""

import pytest
from projects import make_project

from loadstone.config.capacity import CapacityWish, compile_capacity, with_processes
from loadstone.config.load import load_project
from loadstone.errors import ConfigurationError

SLO = ("p99<200ms, errors<0.1%",)


@pytest.fixture
def project(tmp_path):
    return load_project(make_project(tmp_path).folder / "loadstone.toml")


def test_variants_differ_in_nothing_but_what_is_named(project):
    wish = CapacityWish(("speed=slow", "answer=failing"), held=("life=long",), objective=SLO)
    slow, failing = compile_capacity(project, wish).variants
    assert (slow.name, failing.name) == ("v0", "v1")
    assert slow.toggles == {"speed": "slow", "answer": "right", "life": "long"}
    assert failing.toggles == {"speed": "slow", "answer": "failing", "life": "long"}


@pytest.mark.parametrize(
    ("slo", "seconds"), [("p99<200ms", 7.0), ("p99<50ms", 5.0), ("errors<1%", 5.0), ("p50<1m", 60.0)]
)
def test_windows_are_long_against_the_objective(project, slo, seconds):
    assert compile_capacity(project, CapacityWish(objective=(slo,))).window_s == seconds


def test_the_configured_thresholds_are_the_objective_where_none_is_given(tmp_path):
    folder = make_project(tmp_path).folder
    config = folder / "loadstone.toml"
    config.write_text(config.read_text() + '\n[load]\nthresholds = ["p95<1s"]\n')
    found = compile_capacity(load_project(config), CapacityWish())
    assert [one.text for one in found.objective] == ["p95<1s", "errors<1%"]


@pytest.mark.parametrize(
    ("slo", "texts"),
    [
        ("p99<1s", ["p99<1s", "errors<1%"]),
        ("p99<1s, errors<5%", ["p99<1s", "errors<5%"]),
        ("p99<1s, 5xx<1%", ["p99<1s", "5xx<1%"]),
    ],
)
def test_an_objective_of_times_alone_limits_failures_too(project, slo, texts):
    """A server that refuses its load at once would keep any time."""
    found = compile_capacity(project, CapacityWish(objective=(slo,)))
    assert [one.text for one in found.objective] == texts


def test_processes_are_told_by_an_environment_variable(project):
    variant = compile_capacity(project, CapacityWish(objective=SLO)).variants[0]
    assert with_processes(variant, "WEB_CONCURRENCY", 3).env["WEB_CONCURRENCY"] == "3"
    assert "WEB_CONCURRENCY" not in variant.env


@pytest.mark.parametrize(
    ("wish", "problem"),
    [
        (CapacityWish(), "there is no objective"),
        (CapacityWish(("speed=fast", "speed=fast"), objective=SLO), "are the same variant"),
        (CapacityWish(("speed=slow",) * 5, objective=SLO), "5 variants cannot take turns"),
        (CapacityWish(objective=SLO, window="1500ms"), "windows of 1500ms cannot be measured"),
        (CapacityWish(objective=SLO, processes="1,two"), "no list of numbers of processes"),
        (CapacityWish(objective=SLO, processes="0,1,2"), "no list of numbers of processes"),
        (CapacityWish(objective=SLO, for_rate=5.0), "how many processes a rate needs cannot be told"),
        (CapacityWish(objective=SLO, repeats=0), "0 searches cannot be made"),
        (CapacityWish(objective=SLO, max_rate=-3.0), "--max-rate -3 is no rate"),
        (CapacityWish(objective=("p99",)), "there is no comparison"),
    ],
)
def test_wrong_wishes_are_refused(project, wish, problem):
    with pytest.raises(ConfigurationError, match=problem):
        compile_capacity(project, wish)
