import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadstone.explain.redis_commands import key_pattern
from loadstone.explain.redis_connection import RedisConnection
from loadstone.explain.relay import BlindError
from loadstone.explain.resp import RespReader


def command(*words):
    parts = [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
    return f"*{len(words)}\r\n{''.join(parts)}".encode()


class Talk:
    """A conversation: what each side says in turn."""

    def __init__(self, cut=1 << 30):
        self.seen = []
        self.connection = RedisConnection(self.seen.append)
        self.cut = cut

    def client(self, *data):
        """Let the client say something, which must pass untouched."""
        for part in self._parts(data):
            assert self.connection.from_client(part) == (part, b"")
        return self

    def server(self, *data):
        """Let Redis say something."""
        for part in self._parts(data):
            self.connection.from_server(part)
        return self

    def _parts(self, data):
        whole = b"".join(data)
        return [whole[i : i + self.cut] for i in range(0, len(whole), self.cut)]

    def facts(self):
        """Return what was seen, in short."""
        return [(one.name, one.hits, one.misses, one.error) for one in self.seen]


def conversation(cut):
    """A pipeline, a transaction, inline commands, errors, and RESP3."""
    talk = Talk(cut)
    talk.client(command("SET", "a:1", "x" * 50), command("GET", "a:1"), command("get", "b"), b"PING\r\n\r\n")
    talk.server(b"+OK\r\n", b"$3\r\nx\r\n\r\n", b"$-1\r\n", b"+PONG\r\n")
    talk.client(command("MGET", "a", "b", "c"), command("LPUSH", "a", "1"))
    talk.server(b"*3\r\n$1\r\nx\r\n$-1\r\n_\r\n", b"-WRONGTYPE no\r\n")
    talk.client(command("MULTI"), command("GET", "a"), command("MGET", "a", "b"), command("EXEC"))
    talk.server(b"+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n$-1\r\n*2\r\n$1\r\nx\r\n$-1\r\n")
    talk.client(command("HGETALL", "h"), command("SMEMBERS", "s"))
    talk.server(b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n")
    talk.server(b"|1\r\n+ttl\r\n:5\r\n%1\r\n$1\r\nk\r\n*2\r\n,1.5\r\n#t\r\n", b"~0\r\n")
    return talk


EXPECTED = [
    ("SET", 0, 0, ""),
    ("GET", 1, 0, ""),
    ("GET", 0, 1, ""),
    ("PING", 0, 0, ""),
    ("MGET", 1, 2, ""),
    ("LPUSH", 0, 0, "WRONGTYPE"),
    ("MULTI", 0, 0, ""),
    ("GET", 0, 1, ""),
    ("MGET", 1, 1, ""),
    ("EXEC", 0, 0, ""),
    ("HGETALL", 0, 0, ""),
    ("SMEMBERS", 0, 0, ""),
]


@given(st.integers(min_value=1, max_value=120))
def test_commands_hits_and_bytes_do_not_depend_on_where_the_stream_is_cut(cut):
    talk, whole = conversation(cut), conversation(1 << 20)
    assert talk.facts() == EXPECTED
    assert [one.bytes_out for one in talk.seen] == [one.bytes_out for one in whole.seen]
    assert not talk.connection.pending


def test_bytes_are_those_of_the_command_and_of_its_reply():
    talk = Talk().client(command("GET", "a")).server(b"$3\r\nabc\r\n")
    assert (talk.seen[0].bytes_in, talk.seen[0].bytes_out) == (len(command("GET", "a")), 9)


def test_replies_inside_a_transaction_are_charged_to_their_commands():
    talk = Talk().client(command("MULTI"), command("GET", "a"), command("EXEC"))
    talk.server(b"+OK\r\n+QUEUED\r\n*1\r\n$3\r\nabc\r\n")
    assert [(one.name, one.bytes_out) for one in talk.seen] == [("MULTI", 5), ("GET", 9 + 9), ("EXEC", 4)]


@pytest.mark.parametrize(
    ("end", "reply", "error"),
    [
        ("DISCARD", b"+OK\r\n", "DISCARD"),
        ("EXEC", b"*-1\r\n", "EXECABORT"),
        ("EXEC", b"-EXECABORT no\r\n", "EXECABORT"),
    ],
)
def test_commands_of_a_transaction_that_never_ran_say_so(end, reply, error):
    talk = Talk().client(command("MULTI"), command("GET", "a"), command(end), command("GET", "b"))
    talk.server(b"+OK\r\n+QUEUED\r\n", reply, b"$-1\r\n")
    named = {one.name + str(i): one for i, one in enumerate(talk.seen)}
    assert (named["GET1"].error, named["GET1"].misses) == (error, 0)
    assert (named["GET3"].error, named["GET3"].misses) == ("", 1)


def test_messages_of_a_subscription_are_no_replies():
    talk = Talk().client(command("SUBSCRIBE", "a", "b"))
    talk.server(b"*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n")
    assert not talk.seen
    talk.server(b"*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n")
    talk.client(command("UNSUBSCRIBE"))
    talk.server(b"*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$11\r\nunsubscribe\r\n$1\r\nb\r\n:0\r\n")
    talk.client(command("GET", "a")).server(b"$-1\r\n")
    assert [one.name for one in talk.seen] == ["SUBSCRIBE", "UNSUBSCRIBE", "GET"]


@pytest.mark.parametrize(
    "data",
    [b"\x16\x03\x01", command("MONITOR"), command("CLIENT", "REPLY", "OFF"), b"*x\r\n", b"*1\r\nfoo\r\n"],
)
def test_what_cannot_be_followed_is_refused(data):
    with pytest.raises(BlindError):
        Talk().client(data)


def test_a_reply_that_nobody_asked_for_is_refused():
    with pytest.raises(BlindError):
        Talk().server(b"+OK\r\n")


def test_commands_without_a_reply_at_the_end_are_kept():
    talk = Talk().client(command("BLPOP", "a", "0"))
    talk.connection.closed()
    assert talk.facts() == [("BLPOP", 0, 0, "closed")]


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        (["GET", "user:12:cart"], "user:*:cart"),
        (["GET", ":1:views.cache_page.GET.0cc175b9c0f1b6a831c399e269772661.en-us"],
         ":*:views.cache_page.GET.*.en-us"),
        (["GET", "s:123e4567-e89b-12d3-a456-426614174000"], "s:*"),
        (["SET", "k", "secret9"], "k"),
        (["AUTH", "secret"], ""),
        (["EVAL", "return 1", "2", "k7", "other"], "k*"),
        (["EVAL", "return 1", "0", "value"], ""),
        (["XREAD", "COUNT", "2", "STREAMS", "stream7", "0"], "stream*"),
        (["OBJECT", "ENCODING", "k"], "k"),
        (["GET"], ""),
    ],
)  # fmt: skip
def test_keys_are_known_by_their_pattern_and_values_not_at_all(words, pattern):
    assert key_pattern([word.encode() for word in words]) == pattern


values = st.recursive(
    st.one_of(
        st.binary(max_size=20).map(lambda content: b"$%d\r\n%s\r\n" % (len(content), content)),
        st.integers().map(lambda number: b":%d\r\n" % number),
        st.sampled_from([b"+OK\r\n", b"$-1\r\n", b"*-1\r\n", b"_\r\n", b"-ERR no\r\n", b"#t\r\n"]),
    ),
    lambda inner: st.lists(inner, max_size=4).map(lambda items: b"*%d\r\n%s" % (len(items), b"".join(items))),
    max_leaves=12,
)


@given(st.lists(values, min_size=1, max_size=5), st.integers(min_value=1, max_value=50))
def test_values_are_framed_whole_wherever_the_stream_is_cut(items, cut):
    data, reader = b"".join(items), RespReader()
    sizes = [value.size for i in range(0, len(data), cut) for value in reader.feed(data[i : i + cut])]
    assert sizes == [len(item) for item in items]
