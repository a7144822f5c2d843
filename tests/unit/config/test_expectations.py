"""What choices claim and cost is read with every mistake told by its line."""

import pytest

from loadstone.config.expectations import measurable
from loadstone.config.load import load_project
from loadstone.errors import ConfigurationError
from loadstone.stats.verdicts import Direction

GOOD = """\
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
metric = "latency_mean"
direction = "lower"
at_least = "30%"
endpoint = "GET /"
[toggles.orm.prices.joined]
before = "naive"
metric = "rows"
direction = "higher"
at_least = "5%"
scenario = "scenarios/write.py"
size = "large"
given = { cache = "on" }
says = "Joined rows repeat."
[toggles.cache]
choices = ["off", "on"]
default = "off"
env = "APP_CACHE"
"""


@pytest.fixture
def load(tmp_path):
    (tmp_path / "scenarios").mkdir()
    for name in ("browse", "write"):
        (tmp_path / "scenarios" / f"{name}.py").touch()

    def read(text):
        path = tmp_path / "loadstone.toml"
        path.write_text(text)
        return load_project(path)

    return read


def test_a_claim_is_a_comparison_of_its_choice_with_another(load):
    claim = load(GOOD).toggles["orm"].claims["prefetch"]
    assert (claim.before, claim.after, claim.metric) == ("naive", "prefetch", "latency_mean")
    assert (claim.direction, claim.at_least, claim.endpoint) == (Direction.LOWER, 0.3, "GET /")
    assert (claim.scenario, claim.size, claim.exact) == ("scenarios/browse.py", None, False)
    assert claim.place.endswith("loadstone.toml:11")


def test_a_price_may_have_a_scenario_a_size_and_toggles_of_its_own(load):
    price = load(GOOD).toggles["orm"].prices["joined"]
    assert (price.scenario, price.size, price.given) == ("scenarios/write.py", "large", {"cache": "on"})
    assert price.exact
    assert price.says == "Joined rows repeat."


def test_only_ratios_of_pairs_and_exact_facts_can_be_claimed():
    assert {"latency_p95", "cpu", "queries", "response_bytes"} <= set(measurable())
    assert "errors" not in measurable()


@pytest.mark.parametrize(
    ("find", "replace", "line", "says"),
    [
        ("[toggles.orm.claims.prefetch]", "[toggles.orm.claims.prefech]", 11, "did you mean 'prefetch'?"),
        ('before = "naive"\nmetric = "lat', 'before = "nave"\nmetric = "lat', 12, "did you mean 'naive'?"),
        ('before = "naive"\nmetric = "lat', 'before = "prefetch"\nmetric = "lat', 12, "cannot be compared"),
        ('metric = "latency_mean"', 'metric = "latency_men"', 13, "did you mean 'latency_mean'?"),
        ('metric = "latency_mean"', 'metric = "errors"', 13, "there is no metric 'errors'"),
        ('metric = "latency_mean"', 'metric = "cpu"', 16, "cannot be told apart by endpoint"),
        ('direction = "lower"', 'direction = "down"', 14, "say whether it gets lower or higher"),
        ('at_least = "30%"', 'at_least = "300%"', 15, "no share"),
        ('at_least = "30%"\n', "", 11, "write at_least for what is gained"),
        ('at_least = "30%"', 'at_least = "30%"\nat_most = "40%"', 11, "must be said once"),
        ('at_least = "30%"', 'at_most = "0%"', 15, "no share"),
        ('at_least = "30%"', 'at_last = "30%"', 15, "did you mean 'at_least'?"),
        ('scenario = "scenarios/browse.py"\n', "", 10, "no scenario shows 'prefetch'"),
        ('"scenarios/write.py"', '"scenarios/wrote.py"', 17, "did you mean 'scenarios/write.py'?"),
        ('size = "large"', 'size = "larg"', 17, "did you mean 'large'?"),
        ('size = "large"', "in_flight = 8", 23, "leave out in_flight"),
        ('given = { cache = "on" }', 'given = { cache = "onn" }', 17, "did you mean 'on'?"),
        ('given = { cache = "on" }', 'given = { orm = "naive" }', 17, "leave it out of given"),
    ],
)
def test_a_mistake_names_its_line_and_a_remedy(load, find, replace, line, says):
    assert find in GOOD
    with pytest.raises(ConfigurationError) as caught:
        load(GOOD.replace(find, replace, 1))
    assert says in str(caught.value)
    assert caught.value.cause.endswith(f"loadstone.toml:{line}")
