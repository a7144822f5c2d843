from dataclasses import replace

from loadstone.explain.facts import ProbeObservation, probe_facts
from loadstone.explain.tap_postgres import Statement
from loadstone.explain.tap_redis import RedisCommand
from loadstone.record.probed import Total


def statement(sql, rows=1, *, control=False):
    return Statement(1, sql, "", control, rows, 10, 5)


def command(name, *, control=False):
    return RedisCommand(1, name, "", control, 1, 1, 0, 0)


def observation(statements, commands=(), *, repeat=False, status=200, variant="before", size=100):
    return ProbeObservation("list", variant, repeat, status, size, statements, commands)


def test_counts_are_medians_without_control_statements():
    begin = statement("BEGIN", rows=9, control=True)
    brands = [statement(f"SELECT {i}") for i in range(3)]
    (facts,) = probe_facts(
        [
            observation([begin, *brands], [command("GET"), command("SELECT", control=True)], size=10),
            observation([brands[0]], [], repeat=True),
            observation([begin, brands[0]], [command("GET")], size=20, status=404),
        ]
    )
    assert (facts.requests, facts.queries_first, facts.queries_repeat, facts.rows) == (2, 2.0, 1.0, 2.0)
    assert (facts.cache_commands_first, facts.cache_commands_repeat) == (1.0, 0.0)
    assert (facts.response_bytes, facts.statuses) == (15.0, [200, 404])
    assert facts.statements == [("SELECT ?", 2.0)]


def test_statements_come_most_frequent_first():
    (facts,) = probe_facts([observation([statement("SELECT a"), *[statement("SELECT b, 1")] * 2])])
    assert facts.statements == [("SELECT b, ?", 2.0), ("SELECT a", 1.0)]


def test_what_could_not_be_counted_is_unavailable_and_not_zero():
    (facts,) = probe_facts([observation(None, None), observation([statement("SELECT 1")], [])])
    assert facts.queries_first is facts.rows is facts.cache_commands_first is None
    assert facts.statements == []


def test_a_request_that_is_never_repeated_has_no_repeat():
    (facts,) = probe_facts([observation([])])
    assert facts.queries_repeat is facts.cache_commands_repeat is None
    assert facts.queries_first == 0.0


def test_variants_and_endpoints_are_kept_apart_in_order():
    facts = probe_facts([observation([]), observation([], variant="after"), observation([])])
    assert [(one.variant, one.requests) for one in facts] == [("before", 2), ("after", 1)]


def test_steps_that_are_several_requests_tell_how_many():
    told = [replace(observation([]), exchanges=count) for count in (13, 14)]
    (facts,) = probe_facts(told)
    assert facts.totals["exchanges"] == Total(total=27, requests=2)
    for silent in ([], told):
        (facts,) = probe_facts([*silent, observation([])])
        assert "exchanges" not in facts.totals


def test_totals_are_exact_over_the_same_requests():
    """One request of three makes one query more: a median would not tell."""
    one, two = [statement("SELECT 1", rows=2)], [statement("SELECT 1", rows=2), statement("SELECT 2", rows=3)]
    (facts,) = probe_facts(
        [observation(one, None), observation(one), observation(two), observation(one, repeat=True)]
    )
    totals = {name: (total.total, total.requests) for name, total in facts.totals.items()}
    assert totals == {
        "queries": (4, 3), "queries_repeat": (1, 1), "rows": (9, 3), "response_bytes": (300, 3),
        "cache_commands_repeat": (0, 1),
    }  # fmt: skip
    assert facts.queries_first == 1.0
