"""Plans as they ran: shapes, rows, pages; nothing written stays written."""

import pytest

from loadstone.explain.explained import Example, examples_of, plans_of
from loadstone.explain.facts import ProbeObservation
from loadstone.explain.tap_postgres import Statement
from loadstone.target.sql import session

BY_NUMBER = "SELECT * FROM explained_rows WHERE number = 5"


@pytest.fixture
def database(postgres_url):
    with session(postgres_url) as opened:
        opened.run("CREATE TABLE explained_rows AS SELECT n AS number FROM generate_series(1, 5000) n")
        opened.run("ANALYZE explained_rows")
        yield opened
        opened.run("DROP TABLE explained_rows")


def plan_of(database, sql):
    (plan,) = plans_of(database.run, "before", [Example("GET /a", sql, sql)])
    return plan


def statement(sql: str, kind: str = "select", duration_us: int = 1) -> Statement:
    return Statement(1, sql, kind, control=False, rows=1, response_bytes=1, duration_us=duration_us)


def seen(*statements: Statement, repeat: bool = False) -> ProbeObservation:
    return ProbeObservation("GET /a", "before", repeat, 200, 1, statements, ())


def test_an_index_shows_in_the_nodes_and_in_the_pages(database):
    scan = plan_of(database, BY_NUMBER)
    assert (scan.nodes[0].name, scan.nodes[0].rows, scan.nodes[0].removed) == (
        "Seq Scan on explained_rows", 1, 4999,
    )  # fmt: skip
    database.run("CREATE INDEX explained_number ON explained_rows (number)")
    database.run("VACUUM ANALYZE explained_rows")
    index = plan_of(database, BY_NUMBER)
    assert index.nodes[0].name == "Index Only Scan using explained_number on explained_rows"
    assert 0 < index.buffers < scan.buffers


def test_nodes_below_have_their_depth_and_rows_count_over_all_loops(database):
    sql = "SELECT count(*) FROM explained_rows a JOIN generate_series(1, 3) b ON a.number = b"
    plan = plan_of(database, sql)
    assert plan.nodes[0].depth == 0
    assert max(node.depth for node in plan.nodes) >= 2
    assert any(node.rows == 5000 for node in plan.nodes)


def test_a_write_is_explained_and_undone(database):
    plan = plan_of(database, "DELETE FROM explained_rows WHERE number <= 10")
    assert plan.nodes[0].name == "Delete on explained_rows"
    assert database.run("SELECT count(*) FROM explained_rows") == [(5000,)]


def test_what_cannot_be_explained_says_why_and_the_next_one_is_explained(database):
    examples = [Example("GET /a", sql, sql) for sql in ("SELECT nonsense FROM nowhere", BY_NUMBER)]
    bad, good = plans_of(database.run, "before", examples)
    assert "nowhere" in bad.error
    assert "\n" not in bad.error
    assert not bad.nodes
    assert good.nodes


def test_a_statement_that_takes_too_long_is_given_up(database, monkeypatch):
    monkeypatch.setattr("loadstone.explain.explained.LONGEST_MS", 50)
    assert "statement timeout" in plan_of(database, "SELECT pg_sleep(5)").error


def test_examples_are_the_costliest_first_each_once_and_only_what_can_be_explained():
    found = examples_of(
        [
            seen(statement("SELECT 1 FROM a", duration_us=5), statement("SELECT 2 FROM a", duration_us=5)),
            seen(statement("SELECT * FROM b", duration_us=7), statement("SELECT * FROM c WHERE d = $1")),
            seen(statement("COPY a FROM STDIN", kind="copy")),
            seen(statement("SELECT * FROM only_repeated"), repeat=True),
        ]
    )
    assert [(one.sql, one.normalised) for one in found] == [
        ("SELECT 1 FROM a", "SELECT ? FROM a"), ("SELECT * FROM b", "SELECT * FROM b"),
    ]  # fmt: skip
