"""Rules on exact facts: what they say, and where a wrong one is wrong."""

import pytest

from loadstone.config.exact_rules import default_rules, parse_exact
from loadstone.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "before", "kept", "broken"),
    [
        ("queries", 3.0, 3.0, 3.2),
        ("queries+1", 3.0, 4.0, 4.2),
        ("rows+10%", 200.0, 220.0, 220.5),
        ("response_bytes<=20kB", 1.0, 20_000.0, 20_001.0),
        ("queries<5", 9.0, 4.9, 5.0),
        ("GET /products: queries<=5", 9.0, 5.0, 5.1),
    ],
)
def test_a_rule_holds_up_to_its_limit(text, before, kept, broken):
    rule = parse_exact(text)
    assert rule.holds(before, kept)
    assert not rule.holds(before, broken)


def test_an_endpoint_may_hold_colons_and_what_is_compared_is_told():
    rule = parse_exact("GET /a:b: queries")
    assert (rule.endpoint, rule.fact, rule.relative) == ("GET /a:b", "queries", True)
    assert not parse_exact("queries<=5").relative


def test_means_that_differ_by_rounding_alone_are_equal():
    assert parse_exact("queries").holds(0.1 + 0.2, 0.30000000000000004)
    assert parse_exact("queries").holds(0.3, 0.1 + 0.2)


@pytest.mark.parametrize(
    ("text", "problem", "column"),
    [
        ("queriez", "there is no fact 'queriez'", "column 1"),
        ("GET /: rowz", "there is no fact 'rowz'", "column 8"),
        ("queries<=", "there is no amount", "column 10"),
        ("queries<=5%", "is no amount of queries", "column 10"),
        ("queries+2kB", "is no amount of queries", "column 9"),
        ("response_bytes<=2GB", "is no amount of response_bytes", "column 17"),
    ],
)
def test_a_wrong_rule_says_where_and_what_to_write(text, problem, column):
    with pytest.raises(ConfigurationError, match=problem) as caught:
        parse_exact(text)
    assert caught.value.cause.startswith(column)
    assert caught.value.remedy


def test_what_nobody_wrote_is_not_missed():
    assert [rule.text for rule in default_rules()] == ["queries", "queries_repeat"]
    assert not any(rule.named for rule in default_rules())
