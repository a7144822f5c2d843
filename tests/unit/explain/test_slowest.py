"""The slowest probed requests: bounded, in order, with what they did."""

from loadstone.explain.facts import ProbeObservation
from loadstone.explain.slowest import MOST, MOST_STATEMENTS, MOST_TARGET, slowest_probed
from loadstone.explain.tap_postgres import Statement
from loadstone.explain.tap_redis import RedisCommand


def statement(sql: str, duration_us: int = 5, *, control: bool = False) -> Statement:
    return Statement(1, sql, "select", control, rows=2, response_bytes=10, duration_us=duration_us)


def seen(service_us: int, *, variant: str = "before", statements=(), commands=(), target: str = "/a"):
    return ProbeObservation(
        "GET /a",
        variant,
        repeat=False,
        status=200,
        response_bytes=1,
        statements=statements,
        commands=commands,
        service_us=service_us,
        method="GET",
        target=target,
        traceparent="00-aa-bb-01",
    )


def test_each_variant_has_its_slowest_first_and_no_more_than_the_bound():
    observations = [seen(us, variant=name) for us in range(1, 60) for name in ("before", "after")]
    told = slowest_probed(observations)
    assert [one.variant for one in told] == ["before"] * MOST + ["after"] * MOST
    assert [one.service_us for one in told[:MOST]] == list(range(59, 59 - MOST, -1))


def test_a_request_tells_its_own_statements_and_waits():
    begin, one, two = statement("BEGIN", 3, control=True), statement("SELECT 1", 5), statement("SELECT 2", 9)
    get = RedisCommand(1, "GET", "", control=False, bytes_in=1, bytes_out=1, hits=1, misses=0, duration_us=7)
    (told,) = slowest_probed([seen(100, statements=[begin, one, two], commands=[get])])
    assert [(each.sql, each.calls, each.rows, each.wait_us) for each in told.statements] == [
        ("SELECT ?", 2, 4, 14)
    ]
    assert (told.database_us, told.cache_commands, told.traceparent) == (17, 1, "00-aa-bb-01")
    assert told.cache_us == 7


def test_what_could_not_be_seen_is_not_zero():
    (told,) = slowest_probed([seen(100, statements=None, commands=None)])
    assert (told.database_us, told.cache_us, told.cache_commands, told.statements) == (None, None, None, [])


def test_neither_long_addresses_nor_many_statements_burst_the_record():
    many = [statement(f"SELECT a{number}") for number in range(100)]
    (told,) = slowest_probed([seen(100, statements=many, target="/" + "x" * 100_000)])
    assert len(told.statements) == MOST_STATEMENTS
    assert len(told.target) == MOST_TARGET


def test_requests_that_were_not_timed_are_left_out():
    assert slowest_probed([seen(0)]) == []
