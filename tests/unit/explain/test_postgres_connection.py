"""Conversations written out as bytes, cut at every place where a network may cut them."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadstone.explain.postgres_connection import PostgresConnection
from loadstone.explain.relay import BlindError

STARTUP = struct.pack(">ii", 20, 196608) + b"user\0me\0\0\0\0\0"
SSL = struct.pack(">ii", 8, 80877103)
GSS = struct.pack(">ii", 8, 80877104)
OK = [b"R\0\0\0\x08\0\0\0\0", b"Z\0\0\0\x05I"]


def message(code, body=b""):
    return code.encode() + struct.pack(">i", len(body) + 4) + body


def query(sql):
    return message("Q", sql.encode() + b"\0")


def parse(name, sql):
    return message("P", f"{name}\0{sql}\0".encode() + b"\0\0")


def bind(portal, name):
    return message("B", f"{portal}\0{name}\0".encode() + bytes(6))


def execute(portal):
    return message("E", portal.encode() + b"\0" + bytes(4))


def done(tag):
    return message("C", tag.encode() + b"\0")


def error(code):
    return message("E", b"SERROR\0C" + code.encode() + b"\0Mno\0\0")


ROW = message("D", b"\0\x01\0\0\0\x011")
READY = message("Z", b"I")
SYNC = message("S")


class Talk:
    """A conversation: what each side says in turn."""

    def __init__(self, cut=1 << 30):
        self.seen, self.reasons = [], []
        self.connection = PostgresConnection(self.seen.append, self.reasons.append)
        self.cut = cut

    def client(self, *messages):
        """Return what is forwarded and what is answered in the upstream's place."""
        data = b"".join(messages)
        parts = [self.connection.from_client(data[i : i + self.cut]) for i in range(0, len(data), self.cut)]
        return b"".join(part[0] for part in parts), b"".join(part[1] for part in parts)

    def server(self, *messages):
        """Let the upstream say something."""
        data = b"".join(messages)
        for i in range(0, len(data), self.cut):
            self.connection.from_server(data[i : i + self.cut])

    def begin(self):
        """Get over the start-up."""
        self.client(STARTUP)
        self.server(*OK)
        return self

    def facts(self):
        """Return what was seen, in short."""
        return [(one.sql, one.rows, one.error) for one in self.seen]


def test_encryption_is_declined_and_the_startup_packet_forwarded_whole():
    talk = Talk(cut=1)
    assert talk.client(SSL) == (b"", b"N")
    assert talk.client(GSS) == (b"", b"N")
    assert talk.client(STARTUP) == (STARTUP, b"")


def test_a_query_sent_along_with_the_startup_packet_is_seen():
    talk = Talk()
    assert talk.client(STARTUP, query("SELECT 1"))[0] == STARTUP + query("SELECT 1")
    talk.server(*OK, ROW, done("SELECT 1"), READY)
    assert talk.facts() == [("SELECT 1", 1, "")]


def test_a_cancel_request_is_passed_on_and_counts_nothing():
    talk = Talk()
    packet = struct.pack(">iiii", 16, 80877102, 1, 2)
    assert talk.client(packet) == (packet, b"")
    assert not talk.connection.pending


@pytest.mark.parametrize("packet", [b"\x16\x03\x01\x02\0\x01\0\x01", struct.pack(">ii", 8, 131072)])
def test_what_is_not_protocol_3_makes_the_tap_blind(packet):
    with pytest.raises(BlindError):
        Talk().client(packet)


def test_a_startup_packet_cut_off_by_the_client_is_not_swallowed():
    talk = Talk()
    talk.client(STARTUP[:5])
    assert talk.connection.unsent() == STARTUP[:5]


def conversation(cut):
    """Every kind of exchange, one after the other."""
    talk = Talk(cut).begin()
    talk.client(query("SELECT 1; UPDATE t SET a = ';'"))
    talk.server(message("T", b"\0\0"), ROW, ROW, done("SELECT 2"), done("UPDATE 7"), READY)
    talk.client(parse("s1", "SELECT $1"), message("D", b"Ss1\0"), SYNC)
    talk.server(message("1"), message("t", b"\0\0"), message("T", b"\0\0"), READY)
    talk.client(bind("", "s1"), execute(""), bind("", "s1"), execute(""), SYNC)
    talk.server(message("2"), ROW, done("SELECT 1"), message("2"), done("SELECT 0"), READY)
    talk.client(query("COPY t FROM STDIN"), message("d", b"1\n"), message("c"))
    talk.server(message("G", b"\0\0\0"), done("COPY 1"), READY)
    talk.client(query("COPY t TO STDOUT"))
    talk.server(message("H", b"\0\0\0"), message("d", b"1\n"), message("c"), done("COPY 1"), READY)
    talk.client(query("SELECT bad; SELECT 2"))
    talk.server(message("N", b"x"), error("42703"), READY, message("S", b"a\0b\0"))
    return talk


EXPECTED = [
    ("SELECT 1", 2, ""),
    ("UPDATE t SET a = ';'", 7, ""),
    ("SELECT $1", 1, ""),
    ("SELECT $1", 0, ""),
    ("COPY t FROM STDIN", 1, ""),
    ("COPY t TO STDOUT", 1, ""),
    ("SELECT bad", 0, "42703"),
]


@pytest.mark.parametrize("cut", [1, 2, 3, 5, 7, 64, 1 << 20])
def test_statements_and_rows_do_not_depend_on_where_the_stream_is_cut(cut):
    talk = conversation(cut)
    assert talk.facts() == EXPECTED
    assert not talk.reasons
    assert not talk.connection.pending


@given(st.integers(min_value=1, max_value=200))
def test_bytes_do_not_depend_on_where_the_stream_is_cut(cut):
    def sizes(talk):
        return [one.response_bytes for one in talk.seen]

    assert sizes(conversation(cut)) == sizes(conversation(1 << 20))


def test_bytes_of_a_statement_reach_to_the_end_of_its_result():
    talk = Talk().begin()
    talk.client(query("SELECT 1"))
    talk.server(message("T", b"\0\0"), ROW, done("SELECT 1"), READY)
    assert talk.seen[0].response_bytes == len(message("T", b"\0\0") + ROW + done("SELECT 1"))


def test_a_statement_is_counted_before_the_client_is_ready_for_the_next():
    talk = Talk().begin()
    talk.client(query("SELECT 1"))
    assert talk.connection.pending
    talk.server(done("SELECT 0"))
    assert len(talk.seen) == 1


def test_a_failure_in_a_pipeline_skips_to_the_next_sync_and_no_further():
    talk = Talk().begin()
    talk.client(parse("", "SELECT bad"), bind("", ""), execute(""), execute(""), SYNC)
    talk.client(parse("", "SELECT 2"), bind("", ""), execute(""), SYNC)
    talk.server(error("42703"), READY, message("1"), message("2"), ROW, done("SELECT 1"), READY)
    assert talk.facts() == [("SELECT bad", 0, "42703"), ("SELECT 2", 1, "")]


def test_what_arrives_after_a_failure_and_before_its_sync_is_skipped():
    talk = Talk().begin()
    talk.client(parse("", "SELECT 1/0"), bind("", ""), execute(""))
    talk.server(message("1"), message("2"), error("22012"))
    talk.client(execute(""), SYNC, query("SELECT 2"))
    talk.server(READY, done("SELECT 0"), READY)
    assert talk.facts() == [("SELECT 1/0", 0, "22012"), ("SELECT 2", 0, "")]


def test_a_failed_parse_leaves_the_prepared_statement_of_that_name_as_it_was():
    talk = Talk().begin()
    talk.client(parse("s", "SELECT 1"), SYNC, parse("s", "SELECT 2"), SYNC, bind("", "s"), execute(""), SYNC)
    talk.server(message("1"), READY, error("42P05"), READY, message("2"), ROW, done("SELECT 1"), READY)
    assert talk.facts() == [("SELECT 2", 0, "42P05"), ("SELECT 1", 1, "")]


def test_every_execute_of_a_portal_counts():
    talk = Talk().begin()
    talk.client(parse("", "SELECT 1"), bind("p", ""), execute("p"), execute("p"), message("C", b"Pp\0"), SYNC)
    talk.server(message("1"), message("2"), ROW, message("s"), ROW, done("SELECT 1"), message("3"), READY)
    assert talk.facts() == [("SELECT 1", 1, "")] * 2


@pytest.mark.parametrize("pipelined", [True, False])
def test_a_sync_among_copy_data_is_ignored_as_postgresql_does(pipelined):
    talk = Talk().begin()
    first = [parse("", "COPY t FROM STDIN"), bind("", ""), execute(""), SYNC]
    second = [message("d", b"1\n"), message("S"), message("c"), SYNC]
    answer = [message("1"), message("2"), message("G", b"\0\0\0")]
    if pipelined:
        talk.client(*first, *second)
        talk.server(*answer)
    else:
        talk.client(*first)
        talk.server(*answer)
        talk.client(*second)
    talk.server(done("COPY 1"), READY)
    talk.client(query("SELECT 1"))
    talk.server(ROW, done("SELECT 1"), READY)
    assert talk.facts() == [("COPY t FROM STDIN", 1, ""), ("SELECT 1", 1, "")]


def test_a_failed_copy_counts_once_and_the_rest_of_its_data_not_at_all():
    talk = Talk().begin()
    talk.client(query("COPY t FROM STDIN"))
    talk.server(message("G", b"\0\0\0"))
    talk.client(message("d", b"bad\n"))
    talk.server(error("22P02"), READY)
    talk.client(message("d", b"more\n"), message("c"), query("SELECT 1"))
    talk.server(done("SELECT 0"), READY)
    assert talk.facts() == [("COPY t FROM STDIN", 0, "22P02"), ("SELECT 1", 0, "")]


def test_a_statement_cut_off_by_the_end_of_the_connection_is_kept():
    talk = Talk().begin()
    talk.client(query("SELECT pg_sleep(9)"))
    talk.connection.closed()
    assert talk.facts() == [("SELECT pg_sleep(9)", 0, "closed")]


@pytest.mark.parametrize("answer", [done("SELECT 0"), error("57P01")])
def test_a_statement_that_has_ended_does_not_end_again_with_the_connection(answer):
    talk = Talk().begin()
    talk.client(query("SELECT 1"))
    talk.server(answer, error("57P01"))
    talk.connection.closed()
    assert len(talk.seen) == 1
    assert not talk.reasons


def test_a_text_without_any_statement_can_still_fail():
    talk = Talk().begin()
    talk.client(query("/* unfinished"))
    talk.server(error("42601"), READY)
    assert talk.facts() == [("/* unfinished", 0, "42601")]


def test_a_farewell_of_the_server_is_no_statement():
    talk = Talk().begin()
    talk.server(error("57P01"))
    talk.connection.closed()
    assert talk.facts() == []


def test_a_statement_prepared_out_of_sight_is_counted_and_said_to_be_unknown():
    talk = Talk().begin()
    talk.client(bind("", "elsewhere"), execute(""), SYNC)
    talk.server(message("2"), ROW, done("SELECT 1"), READY)
    assert [one.rows for one in talk.seen] == [1]
    assert talk.reasons == ["the text of a prepared statement is not known"]


@pytest.mark.parametrize("surprise", [ROW, message("y"), message("W", b"\0\0\0"), b"C\0\0\0\x01"])
def test_what_cannot_be_followed_is_refused(surprise):
    talk = Talk().begin()
    with pytest.raises(BlindError):
        talk.server(surprise)
