"""`[gate]`: what it inherits, what decides, and where a mistake is."""

import pytest
from projects import make_project

from loadstone.config.gate import compile_gate
from loadstone.config.load import load_project
from loadstone.errors import ConfigurationError


def gate(tmp_path, text="", **options):
    project = make_project(tmp_path)
    path = project.folder / "loadstone.toml"
    path.write_text(path.read_text() + text)
    return compile_gate(load_project(path), **options)


def test_without_experiments_the_scenario_of_compare_is_gated(tmp_path):
    found = gate(tmp_path)
    (experiment,) = found.experiments
    assert (experiment.name, experiment.lane, experiment.budget_s) == ("browse", "pair", 120.0)
    assert [rule.text for rule in experiment.exact] == ["queries", "queries_repeat"]
    assert (found.budget_s, found.fail_inconclusive) == (600.0, False)


WHOLE = """
[gate]
budget = "3m"
inconclusive = "fail"
exact = ["queries", "response_bytes+10%"]
ignore = ["etag"]

[gate.experiments.list]
scenario = "browse.py"
margin = "5%"
budgets = ["p99<200ms", "GET /page: mean<50ms, errors<0.1%"]
with = ["speed=fast"]

[gate.experiments.list.margins]
cpu = "10%"
"GET /page: latency_mean" = "3%"

[gate.experiments.facts]
lane = "probe"
exact = ["queries<=5"]
"""


def test_an_experiment_takes_from_the_gate_what_it_leaves_open(tmp_path):
    found = gate(tmp_path, WHOLE)
    listed, facts = found.experiments
    assert found.fail_inconclusive
    assert [rule.text for rule in listed.exact] == ["queries", "response_bytes+10%"]
    assert [rule.text for rule in facts.exact] == ["queries<=5"]
    assert [one.text for one in listed.budgets] == ["p99<200ms", "GET /page: mean<50ms", "errors<0.1%"]
    assert listed.wish.held == ("speed=fast",)
    assert [rule.ignore for rule in listed.wish.rules] == [("etag",)]


def test_an_endpoint_with_a_margin_of_its_own_decides(tmp_path):
    listed = gate(tmp_path, WHOLE).experiments[0]
    assert listed.wish.margins == {"cpu": 0.1, "GET /page: latency_mean": 0.03}
    assert listed.wish.gating == (
        "latency_mean",
        "latency_p95",
        "cpu",
        "errors",
        "GET /page: latency_mean",
    )
    assert listed.gating == ("GET /page: latency_mean",)


def test_some_experiments_can_be_chosen_and_timing_left_out(tmp_path):
    found = gate(tmp_path, WHOLE, only=("list",), probe_only=True)
    assert [(one.name, one.lane) for one in found.experiments] == [("list", "probe")]


@pytest.mark.parametrize(
    ("text", "problem", "line"),
    [
        ('[gate]\nbudget = "soon"', "'soon' is no duration", 2),
        ('[gate]\ninconclusive = "maybe"', "'maybe' is no choice", 2),
        ('[gate]\nfail_on = "luck"', "'luck' is no choice", 2),
        ('[gate]\nbudgett = "1m"', "unknown field `budgett`", 2),
        ('[gate.experiments.a]\nlane = "fast"', "'fast' is no lane", 2),
        ('[gate.experiments.a]\nexact = ["queriez"]', "there is no fact", 2),
        ('[gate.experiments.a]\nmargin = "x"', "is no share", 2),
        ('[gate.experiments.a]\nscenarioo = "x"', "unknown field `scenarioo`", 2),
        ('[gate.experiments.a]\nrate = "5"', "only the load lane offers a rate", 2),
        ('[gate.experiments.a]\nlane = "probe"\ngating = ["cpu"]', "only in the pair lane", 3),
        ('[gate.experiments.a]\nlane = "probe"\nbudgets = ["p99<1s"]', "nothing is timed", 3),
        ('[gate.experiments.a]\nlane = "load"', "there is no load", 1),
        ('[gate.experiments.a]\nbudgets = ["rate>9/s"]', "the rate is no result", 2),
        ('[gate.experiments.a]\nbudgets = ["p99<1s over 10s"]', "windows are watched", 2),
        ('[gate.experiments.a]\nbudgets = ["max<1s"]', "keeps quantiles", 2),
        ('[gate.experiments.a]\nbudgets = ["response.p99<1s"]', "the pair lane measures service time", 2),
        ('[gate.experiments.a]\ngating = ["speed"]', "there is no metric 'speed'", 2),
        ('[gate.experiments.a.margins]\n"GET /: cpu" = "5%"', "cannot be told apart by endpoint", 1),
    ],
)
def test_a_mistake_is_told_with_file_and_line(tmp_path, text, problem, line):
    folder = make_project(tmp_path).folder
    above = len((folder / "loadstone.toml").read_text().splitlines())
    with pytest.raises(ConfigurationError, match=problem) as caught:
        gate(tmp_path, text)
    assert caught.value.cause.split(": ")[0] == f"{folder / 'loadstone.toml'}:{above + line}"


def test_an_unknown_experiment_is_wrong_use(tmp_path):
    with pytest.raises(ConfigurationError, match="there is no experiment 'brows'"):
        gate(tmp_path, only=("brows",))
