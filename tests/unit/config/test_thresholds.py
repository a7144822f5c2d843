import pytest

from loadstone.config.thresholds import Threshold, Unit, parse_thresholds
from loadstone.errors import ConfigurationError

US, SHARE, RPS = Unit.MICROSECONDS, Unit.SHARE, Unit.PER_SECOND


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("p99<200ms", {"measure": "quantile", "quantile": 0.99, "limit": 200_000, "unit": US}),
        ("p99.9 <= 1s", {"measure": "quantile", "quantile": 0.999, "operator": "<=", "limit": 1e6}),
        ("service.p50<5ms", {"time": "service", "quantile": 0.5, "limit": 5000}),
        ("lag.max<2ms", {"time": "lag", "measure": "max", "limit": 2000}),
        ("mean<1m30s", {"measure": "mean", "limit": 90e6}),
        ("errors<0.1%", {"measure": "errors", "limit": 0.001, "unit": SHARE}),
        ("5xx<=0%", {"measure": "class", "outcome": "5xx", "limit": 0.0, "operator": "<="}),
        ("check failed<1%", {"measure": "class", "outcome": "check failed"}),
        ("rate>=99%", {"measure": "rate", "operator": ">=", "limit": 0.99, "unit": SHARE}),
        ("rate>180/s", {"measure": "rate", "limit": 180, "unit": RPS}),
        ("p99<200ms over 10s", {"window_s": 10, "abort": False}),
        ("p99<200ms over 1m abort", {"window_s": 60, "abort": True}),
        ("GET /products: p95<80ms", {"endpoint": "GET /products", "limit": 80_000}),
        ("GET /a:b?x=<1: rate>5/s", {"endpoint": "GET /a:b?x=<1", "measure": "rate", "limit": 5}),
    ],
)
def test_what_is_written_is_what_is_limited(text, expected):
    (found,) = parse_thresholds(text)
    assert {name: getattr(found, name) for name in expected} == pytest.approx(expected)
    assert found.text == text


def test_a_list_is_separated_by_commas():
    found = parse_thresholds("p99<200ms over 10s, errors<0.1%")
    assert [one.text for one in found] == ["p99<200ms over 10s", "errors<0.1%"]


@pytest.mark.parametrize(
    ("text", "column", "problem"),
    [
        ("", 1, "there is no comparison"),
        ("p99", 1, "there is no comparison"),
        ("errors<0.1%, ", 14, "there is no comparison"),
        ("q99<200ms", 1, "'q99' is no measure"),
        ("<5ms", 1, "there is no measure"),
        ("p100<5ms", 1, "p100 is no percentile"),
        ("errors<1%, total.p99<5ms", 12, "'total' is no time"),
        ("p99<", 5, "there is no limit"),
        ("p99<200", 5, "'200' is no limit for p99"),
        ("p99<5%", 5, "'5%' is no limit for p99"),
        ("errors<10ms", 8, "'10ms' is no limit for errors"),
        ("errors<3", 8, "'3' is no limit for errors"),
        ("rate>=5ms", 7, "'5ms' is no limit for rate"),
        ("GET /a: rate>=99%", 15, "'99%' is no limit for rate"),
        ("p99<200ms over 1.5s", 16, "'1.5s' is no window"),
        ("p99<200ms over ten", 16, "'ten' is no window"),
        ("p99<200ms for 10s", 5, "'200ms for 10s' is no limit"),
        ("p99<200ms abort", 5, "'200ms abort' is no limit"),
    ],
)
def test_an_error_names_column_problem_and_remedy(text, column, problem):
    with pytest.raises(ConfigurationError) as caught:
        parse_thresholds(text)
    assert problem in caught.value.problem
    assert caught.value.cause.startswith(f"column {column}:")
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("operator", "below", "at", "above"),
    [
        ("<", True, False, False),
        ("<=", True, True, False),
        (">", False, False, True),
        (">=", False, True, True),
    ],
)
def test_a_limit_is_compared_as_written(operator, below, at, above):
    threshold = Threshold("", None, "mean", operator, 10.0, US)
    assert [threshold.holds(value) for value in (9.0, 10.0, 11.0)] == [below, at, above]
