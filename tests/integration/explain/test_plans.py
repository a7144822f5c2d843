"""Plan fingerprints: the same for the same plan, another one when the database changes its mind."""

import pytest

from loadstone.explain.plans import plans_fingerprint, watched
from loadstone.explain.tap_postgres import Statement
from loadstone.target.sql import session

BY_NUMBER = "SELECT * FROM plan_rows WHERE number = 5"


@pytest.fixture
def database(postgres_url):
    with session(postgres_url) as opened:
        opened.run("CREATE TABLE plan_rows AS SELECT n AS number FROM generate_series(1, 5000) n")
        opened.run("ANALYZE plan_rows")
        yield opened
        opened.run("DROP TABLE plan_rows")


def statement(sql: str, kind: str = "select", error: str = "") -> Statement:
    return Statement(1, sql, kind, control=False, rows=1, response_bytes=1, duration_us=1, error=error)


def test_an_index_changes_the_fingerprint_and_values_do_not(database):
    before = plans_fingerprint(database.run, [BY_NUMBER])
    assert plans_fingerprint(database.run, [BY_NUMBER.replace("5", "7")]) == before
    database.run("CREATE INDEX plan_rows_number ON plan_rows (number)")
    assert plans_fingerprint(database.run, [BY_NUMBER]) != before


def test_parameters_are_explained_generically(database):
    assert plans_fingerprint(database.run, ["SELECT * FROM plan_rows WHERE number = $1"])


def test_what_cannot_be_explained_does_not_disturb_the_rest(database):
    assert plans_fingerprint(database.run, ["SELECT nonsense FROM nowhere", BY_NUMBER])


def test_without_statements_there_is_no_fingerprint(database):
    assert not plans_fingerprint(database.run, [])


def test_only_good_reads_are_watched_once_each_most_frequent_first():
    seen = [
        statement("SELECT 1"),
        statement("UPDATE a SET b = 1", kind="update"),
        statement("SELECT broken", error="42703"),
        *(statement("SELECT * FROM a WHERE b = " + value) for value in "012"),
    ]
    assert watched(seen) == ["SELECT * FROM a WHERE b = 0", "SELECT 1"]
