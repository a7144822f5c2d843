from pathlib import Path

import pytest

from loadstone.config.load import load_project
from loadstone.config.offered import LoadWish, compile_load
from loadstone.errors import ConfigurationError

ROOT = Path(__file__).parents[3]
TOML = """
[target]
command = ["{python}", "serve.py", "{port}"]
[compare]
scenario = "journey.py"
[toggles.speed]
choices = ["slow", "fast"]
default = "slow"
env = "SPEED"
"""


@pytest.fixture
def project(tmp_path):
    def make(load=""):
        (tmp_path / "loadstone.toml").write_text(TOML + load)
        (tmp_path / "journey.py").write_text("")
        return load_project(tmp_path / "loadstone.toml")

    return make


def test_a_rate_on_the_command_line_is_the_open_model(project):
    experiment = compile_load(project(), LoadWish(choices="speed=fast", rate="50:100/2m"))
    assert experiment.variant.env["SPEED"] == "fast"
    assert experiment.offer.rate.peak_rps == 100
    assert experiment.offer.duration_s == 120
    assert experiment.title == "speed=fast at 50:100/2m"


def test_users_are_the_closed_model_whatever_rate_the_file_names(project):
    experiment = compile_load(project('[load]\nrate = "50"'), LoadWish(users=20))
    assert experiment.offer.rate is None
    assert experiment.offer.users == 20
    assert experiment.offer.duration_s == 60
    assert experiment.variant.env["SPEED"] == "slow"


def test_the_file_gives_defaults_and_the_command_line_wins(project):
    load = '[load]\nrate = "50"\nduration = "10s"\nthresholds = ["p99<1s, errors<1%"]\nmost_users = 7'
    offer = compile_load(project(load), LoadWish()).offer
    assert (offer.rate.text, offer.duration_s, offer.most_users) == ("50", 10, 7)
    assert [one.text for one in offer.thresholds] == ["p99<1s", "errors<1%"]
    offer = compile_load(project(load), LoadWish(rate="60", duration="4s", thresholds=("p50<1s",))).offer
    assert (offer.rate.text, offer.duration_s) == ("60", 4)
    assert [one.text for one in offer.thresholds] == ["p50<1s"]


@pytest.mark.parametrize(
    ("wish", "problem"),
    [
        (LoadWish(), "there is no load"),
        (LoadWish(rate="5", users=5), "not by both"),
        (LoadWish(users=-1), "-1 users cannot be run"),
        (LoadWish(rate="5", tags=("a",)), "tags choose among the tasks of the closed model"),
        (LoadWish(rate="5q"), "cannot be read"),
        (LoadWish(rate="5", thresholds=("p99",)), "there is no comparison"),
        (LoadWish(rate="5", choices="speed=warp"), "has no choice 'warp'"),
    ],
)
def test_what_cannot_be_is_refused_with_a_remedy(project, wish, problem):
    with pytest.raises(ConfigurationError, match=problem) as caught:
        compile_load(project(), wish)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("load", "line", "problem"),
    [
        (
            '[load]\nrate = "50:300"',
            11,
            "load.rate: the rate '50:300' cannot be read: a ramp has no duration",
        ),
        (
            '[load]\nrate = "5"\nthresholds = ["q1<2s"]',
            12,
            "load.thresholds: the threshold 'q1<2s' cannot be read",
        ),
        ('[load]\nduration = "x"', 11, "load.duration: 'x' is no duration"),
        ("[load]\nrates = 5", 11, "unknown field `rates`"),
    ],
)
def test_errors_of_the_file_bear_its_line(project, load, line, problem):
    with pytest.raises(ConfigurationError) as caught:
        project(load)
    assert problem in caught.value.problem
    assert f"loadstone.toml:{line}" in caught.value.cause
    assert ("column" in caught.value.cause) == ("cannot be read" in caught.value.problem)


@pytest.mark.parametrize(
    ("wish", "key"),
    [
        (LoadWish(rate="20001"), "most_rate"),
        (LoadWish(rate="1:90000/10s"), "most_rate"),
        (LoadWish(rate="5", duration="7h"), "most_duration"),
        (LoadWish(users=1, duration="7h"), "most_duration"),
    ],
)
def test_load_beyond_the_cap_is_refused_until_the_file_allows_it(project, wish, key):
    with pytest.raises(ConfigurationError) as caught:
        compile_load(project(), wish)
    assert f"load.{key}" in caught.value.remedy
    compile_load(project('[load]\nmost_rate = 1e6\nmost_duration = "9h"\n'), wish)
