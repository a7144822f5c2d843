"""The tap in front of a real PostgreSQL, held against what that server logs and counts itself."""

import io
import os
import re
import socket
import struct
import subprocess
import sys
import threading
from contextlib import closing
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest

from loadstone.explain.sql import normalise
from loadstone.explain.tap_postgres import PostgresTap

TIMEOUT_S = 10


@pytest.fixture
def tap(postgres_url):
    parts = urlsplit(postgres_url)
    with PostgresTap(parts.hostname, parts.port) as tap:
        yield tap
        assert tap.incomplete == ""


@pytest.fixture
def tapped_url(postgres_url, tap):
    parts = urlsplit(postgres_url)
    return urlunsplit(parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{tap.port}"))


@pytest.fixture
def connection(tapped_url):
    with closing(psycopg2.connect(tapped_url, connect_timeout=TIMEOUT_S)) as connection:
        connection.autocommit = True
        yield connection


@pytest.fixture
def raw(connection):
    """A socket that libpq has logged in: the protocol can be spoken by hand on it."""
    with socket.socket(fileno=os.dup(connection.fileno())) as wire:
        wire.settimeout(TIMEOUT_S)
        yield wire


def message(code, body=b""):
    return code.encode() + struct.pack(">i", len(body) + 4) + body


def strings(*texts):
    return b"".join(text.encode() + b"\0" for text in texts)


def parse(name, sql):
    return message("P", strings(name, sql) + b"\0\0")


def bind(portal, name, *values):
    parameters = b"".join(struct.pack(">i", len(value)) + value for value in values)
    return message("B", strings(portal, name) + struct.pack(">hh", 0, len(values)) + parameters + b"\0\0")


def execute(portal, rows=0):
    return message("E", strings(portal) + struct.pack(">i", rows))


SYNC = message("S")


def exchange(wire, data, ready=1):
    """Send bytes and read until the server was ready so many times; return the types of its messages."""
    wire.sendall(data)
    types, buffer = "", b""
    while types.count("Z") < ready:
        buffer += wire.recv(1 << 16)
        while len(buffer) >= 5 and len(buffer) > (length := struct.unpack_from(">i", buffer, 1)[0]):
            types += chr(buffer[0])
            buffer = buffer[length + 1 :]
    return types


def facts(tap):
    return [(one.sql, one.rows, one.error) for one in tap.drain()]


def test_statements_rows_and_control_of_a_usual_session(tapped_url, tap):
    with closing(psycopg2.connect(tapped_url)) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE t (id int, name text)")
        cursor.execute("INSERT INTO t SELECT i, 'n' || i FROM generate_series(1, %s) i", (50,))
        cursor.execute("SELECT * FROM t WHERE id IN %s", ((1, 2, 3),))
        cursor.execute("UPDATE t SET name = 'x;' WHERE id > 40; DELETE FROM t WHERE id <= 5")
        connection.rollback()
    seen = tap.drain()
    assert [(one.kind, one.rows, one.control) for one in seen] == [
        ("begin", 0, True),
        ("create", 0, False),
        ("insert", 50, False),
        ("select", 3, False),
        ("update", 10, False),
        ("delete", 5, False),
        ("rollback", 0, True),
    ]
    assert seen[3].normalised == "SELECT * FROM t WHERE id IN (?)"
    assert all(one.duration_us >= 0 and one.connection == 1 for one in seen)


def test_everything_is_counted_once_the_client_has_its_answer(connection, tap):
    with connection.cursor() as cursor:
        for number in range(200):
            cursor.execute("SELECT %s", (number,))
            assert [one.rows for one in tap.drain()] == [1]


def test_server_side_cursors_count_each_fetch(tapped_url, tap):
    with closing(psycopg2.connect(tapped_url)) as connection:
        with connection.cursor("c_123") as cursor:
            cursor.itersize = 40
            cursor.execute("SELECT generate_series(1, 100)")
            assert len(list(cursor)) == 100
        connection.commit()
    rows = [(one.kind, one.rows) for one in tap.drain()]
    assert rows[1] == ("declare", 0)
    assert [count for kind, count in rows if kind == "fetch" and count] == [40, 40, 20]
    assert sum(count for _, count in rows) == 100


def test_prepared_statements_count_once_per_execute(raw, tap):
    types = exchange(raw, parse("s", "SELECT generate_series(1, $1::int)") + message("D", b"Ss\0") + SYNC)
    assert types == "1tTZ"
    assert tap.drain() == []
    batch = b"".join(bind("", "s", b"%d" % rows) + execute("") for rows in (2, 3, 0))
    exchange(raw, batch + SYNC)
    assert facts(tap) == [("SELECT generate_series(1, $1::int)", rows, "") for rows in (2, 3, 0)]


def test_a_portal_read_in_parts_counts_each_part(raw, tap):
    asked = parse("", "SELECT generate_series(1, 5)") + bind("p", "") + execute("p", 2) * 3
    assert exchange(raw, asked + message("C", b"Pp\0") + SYNC) == "12DDsDDsDC3Z"
    assert [one.rows for one in tap.drain()] == [2, 2, 1]


def test_a_pipeline_goes_on_after_the_sync_that_follows_a_failure(raw, tap):
    bad = parse("", "SELECT 1 / $1::int") + bind("", "", b"0") + execute("") + execute("") + SYNC
    good = parse("", "SELECT 7") + bind("", "") + message("D", b"P\0") + execute("") + SYNC
    exchange(raw, bad + good + message("Q", strings("SELECT 8")), ready=3)
    assert facts(tap) == [("SELECT 1 / $1::int", 0, "22012"), ("SELECT 7", 1, ""), ("SELECT 8", 1, "")]


def test_copy_through_the_extended_protocol_ignores_a_sync_among_its_data(raw, tap):
    exchange(raw, message("Q", strings("CREATE TEMP TABLE c (a int)")))
    begin = parse("", "COPY c FROM STDIN") + bind("", "") + execute("") + SYNC
    exchange(raw, begin + message("d", b"1\n2\n") + message("c") + SYNC)
    exchange(raw, message("Q", strings("SELECT * FROM c")))
    assert [one[1] for one in facts(tap)] == [0, 2, 2]


def test_errors_bear_their_code_and_end_a_query_of_several_statements(connection, tap):
    with connection.cursor() as cursor:
        for sql in ("SELECT 1; SELECT 1/0; SELECT 2", "SELEC", "SELECT 1 FROM nowhere"):
            with pytest.raises(psycopg2.Error):
                cursor.execute(sql)
    assert facts(tap) == [
        ("SELECT 1", 1, ""),
        ("SELECT 1/0", 0, "22012"),
        ("SELEC", 0, "42601"),
        ("SELECT 1 FROM nowhere", 0, "42P01"),
    ]


def test_copy_in_and_out_and_a_failing_one(connection, tap):
    lines = "".join(f"{number}\tname {number}\n" for number in range(20_000))
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE t (id int, name text)")
        cursor.copy_expert("COPY t FROM STDIN", io.StringIO(lines))
        cursor.copy_expert("COPY t TO STDOUT", out := io.StringIO())
        with pytest.raises(psycopg2.Error):
            cursor.copy_expert("COPY t FROM STDIN", io.StringIO("1\n" * 50_000))
        cursor.execute("SELECT 1")
    assert out.getvalue() == lines
    seen = tap.drain()
    assert [(one.kind, one.rows, one.error) for one in seen[1:]] == [
        ("copy", 20_000, ""),
        ("copy", 20_000, ""),
        ("copy", 0, "22P04"),
        ("select", 1, ""),
    ]
    # CopyOutResponse for two columns, a 5-byte header a line, CopyDone, and the tag.
    assert seen[2].response_bytes == 12 + len(lines) + 5 * 20_000 + 5 + len("COPY 20000") + 6


def test_large_rows_pass_whole_and_are_weighed(connection, tap):
    with connection.cursor() as cursor:
        cursor.execute("SELECT repeat('x', 20000000), 1 FROM generate_series(1, 2)")
        assert [len(row[0]) for row in cursor.fetchall()] == [20_000_000] * 2
    (statement,) = tap.drain()
    assert statement.rows == 2
    assert 40_000_000 < statement.response_bytes < 40_000_200


CANCELLED = """
import sys, threading, psycopg2
connection = psycopg2.connect(sys.argv[1])
threading.Timer(0.2, connection.cancel).start()
try:
    connection.cursor().execute("SELECT pg_sleep(30)")
except psycopg2.errors.QueryCanceled:
    print("cancelled", end="")
"""


def test_a_cancel_request_reaches_the_server(tapped_url, tap):
    """In a process of its own: while psycopg2 cancels, no other thread of its process runs."""
    argv = [sys.executable, "-c", CANCELLED, tapped_url]
    assert subprocess.run(argv, capture_output=True, check=True, timeout=TIMEOUT_S).stdout == b"cancelled"
    assert ("SELECT pg_sleep(30)", 0, "57014") in facts(tap)


def test_a_killed_backend_is_seen_by_the_client_and_in_the_counts(connection, tap, postgres_url):
    with connection.cursor() as cursor, closing(psycopg2.connect(postgres_url)) as other:
        with other.cursor() as killer:
            killer.execute("SELECT pg_terminate_backend(%s)", (connection.get_backend_pid(),))
        with pytest.raises(psycopg2.OperationalError):
            cursor.execute("SELECT pg_sleep(30)")
    assert tap.wait_idle(TIMEOUT_S)
    assert all(one.error for one in tap.drain())


def test_a_wrong_password_is_refused_as_without_the_tap(tapped_url, tap):
    parts = urlsplit(tapped_url)
    wrong = urlunsplit(parts._replace(netloc=f"{parts.username}:wrong@{parts.hostname}:{parts.port}"))
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(wrong)
    assert tap.drain() == []


def test_eight_connections_at_once_lose_nothing_by_the_server_s_own_log(tapped_url, tap, server_log):
    """The server logs every statement that it executes; the tap must have the same ones."""

    def work(number):
        url = f"{tapped_url}?application_name=w{number}&options=-c%20log_statement%3Dall"
        with closing(psycopg2.connect(url)) as connection:
            for step in range(40):
                with connection, connection.cursor() as cursor:
                    cursor.execute("SELECT g, %s FROM generate_series(1, %s) g", (f"{number}", step))
                    cursor.execute("SELECT 1; SELECT 'two;'")

    start = server_log.stat().st_size
    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen = tap.drain()
    with server_log.open() as log:
        log.seek(start)
        logged = sorted(re.findall(r"LOG:  statement: (.*)", log.read()))
    sent: dict[str, int] = {}
    for statement in seen:
        sent[statement.normalised] = sent.get(statement.normalised, 0) + 1
    assert sent == {
        "BEGIN": 320,
        "SELECT g, ? FROM generate_series(?, ?) g": 320,
        "SELECT ?": 640,
        "COMMIT": 320,
    }
    # A query of two statements is one line of the log.
    assert len(logged) == len(seen) - 320
    singles = [one.sql for one in seen if not normalise(one.sql).startswith("SELECT ?")]
    assert sorted(singles) == [line for line in logged if not line.startswith("SELECT 1;")]
    assert sum(one.rows for one in seen) == 8 * (sum(range(40)) + 80)
    assert {one.connection for one in seen} == set(range(1, 9))


def test_transactions_agree_with_the_server_s_own_statistics(connection, tap):
    count = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
    with connection.cursor() as cursor:
        cursor.execute("SET stats_fetch_consistency = none")

        def commits():
            cursor.execute("SELECT pg_stat_force_next_flush()")
            cursor.execute(count)
            return cursor.fetchone()[0]

        before = commits()
        tap.drain()
        for _ in range(30):
            cursor.execute("SELECT 1")
        after = commits()
    # Autocommit: a transaction a statement; the last one is still running when it reads the count.
    assert after - before == len(tap.drain())
