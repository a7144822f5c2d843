"""The lean client against servers that break the rules: bounded in time and memory, and never out of step."""

import gzip
import socket
import time
from contextlib import contextmanager

import pytest
from lean import HostileServer, Lean, receive_request

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture(scope="module")
def lean():
    driver = Lean()
    yield driver
    driver.close()


@contextmanager
def server(behave):
    hostile = HostileServer(behave)
    try:
        yield hostile
    finally:
        hostile.close()


def saying(*pieces, pause=0.0, again=True):
    """Answer each request with these bytes, piece by piece, then hang up or wait for the next request."""

    def behave(connection, request):
        while request:
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(pause)
            if not again:
                return
            request = receive_request(connection)

    return behave


ASK_TWICE = """
    found = []
    for _ in range(2):
        answer = client.get("/", name="/", timeout=2.0)
        found.append([answer.status_code, answer.content.decode("latin-1"), str(answer.error)])
"""


@pytest.mark.parametrize(
    ("pieces", "status", "body"),
    [
        ([OK], 200, "ok"),
        ([bytes([byte]) for byte in OK], 200, "ok"),
        ([b"HTTP/1.1 100 Continue\r\n\r\n", OK], 200, "ok"),
        ([b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK], 200, "ok"),
        ([b"HTTP/1.1 204 No Content\r\n\r\n"], 204, ""),
        ([b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n"], 304, ""),
        ([CHUNKED, b"2\r\nok\r\n", b"0\r\nX: y\r\n\r\n"], 200, "ok"),
        ([b"HTTP/1.1 200 OK\r\ncontent-LENGTH:2\r\n\r\nok"], 200, "ok"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"], 200, "ok"),
    ],
)  # fmt: skip
def test_answers_may_come_in_any_shape(lean, pieces, status, body):
    with server(saying(*pieces, pause=0.002 if len(pieces) > 1 else 0)) as hostile:
        told = lean.run(hostile.url, ASK_TWICE)
    assert [one[:2] for one in told.found] == [[status, body]] * 2


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.0 200 OK\r\nServer: old\r\n\r\n"])
def test_a_body_without_a_length_ends_with_the_connection(lean, head):
    with server(saying(head, b"all of", b" it", pause=0.01, again=False)) as hostile:
        told = lean.run(hostile.url, ASK_TWICE)
        assert hostile.connections == 2
    assert [one[:2] for one in told.found] == [[200, "all of it"]] * 2


@pytest.mark.parametrize(
    ("pieces", "problem"),
    [
        ([b""], "hung up"),
        ([b"HTTP/1.1 200"], "middle"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"], "middle"),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nsho"], "middle"),
        ([b"SSH-2.0-OpenSSH\r\n"], "not HTTP"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"], "not HTTP"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"], "not HTTP"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok"], "not HTTP"),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nok\r\n"], "not HTTP"),
        ([b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n\x00\x01"], "not HTTP"),
        ([b"HTTP/9.9 200 OK\r\n\r\n"], "not HTTP"),
    ],
)
def test_what_is_no_answer_is_a_transport_error(lean, pieces, problem):
    with server(saying(*pieces, again=False)) as hostile:
        told = lean.run(hostile.url, ASK_TWICE)
    assert [one[0] for one in told.found] == [0, 0]
    assert all(problem in one[2] for one in told.found)
    assert told.outcomes == {("GET /", "transport error"): 2}


@pytest.mark.parametrize(
    "more",
    [b"garbage", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", b"HTTP/1.1 200 OK\r\nContent-Le", b"H"],
)
def test_an_answer_that_nobody_asked_for_is_never_taken_for_the_next_one(lean, more):
    """Neither in the same packet as the right one, nor in one of its own while the connection rests."""
    with server(saying(OK + more)) as hostile:
        told = lean.run(hostile.url, ASK_TWICE)
        assert hostile.connections == 2
    assert [one[:2] for one in told.found] == [[200, "ok"]] * 2
    with server(saying(OK, more, pause=0.05)) as hostile:
        told = lean.run(hostile.url, ASK_TWICE.replace("found.append", "gevent.sleep(1.2); found.append"))
    assert [one[:2] for one in told.found] == [[200, "ok"]] * 2


def endless(piece):
    def behave(connection, _request):
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.sendall(piece)

    return behave


@pytest.mark.parametrize(
    ("piece", "problem"),
    [
        (b"X-Bomb: " + b"x" * 1000 + b"\r\n", "head is longer than 65536"),
        (b"X" * 1000, "head is longer than 65536"),
        (b"\r\n" + b"x" * 100_000, "longer than 67108864"),
        (b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 20_000, "longer than 67108864|not HTTP"),
    ],
)
def test_endless_heads_and_bodies_are_cut_off(lean, piece, problem):
    if b"chunked" in piece:
        head, body = piece.split(b"\r\n\r\n", 1)

        def behave(connection, _request):
            connection.sendall(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n")
            while True:
                connection.sendall(body)
    else:
        behave = endless(piece)
    with server(behave) as hostile:
        told = lean.run(
            hostile.url,
            """
            import resource
            peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            before = peak()
            answer = client.get("/", timeout=60)
            found = [answer.status_code, str(answer.error), peak() - before]
        """,
        )
    assert told.found[0] == 0
    assert any(one in told.found[1] for one in problem.split("|"))
    assert told.found[2] < 400_000  # KiB: a few times the 64 MiB that an answer may have


def test_interim_answers_without_end_are_cut_off(lean):
    def behave(connection, _request):
        while True:
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)

    with server(behave) as hostile:
        told = lean.run(hostile.url, "found = str(client.get('/', timeout=20).error)")
    assert "head is longer" in told.found


def test_a_packed_body_that_unpacks_to_too_much_is_refused(lean):
    told_head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
    bomb = gzip.compress(b"\0" * (65 << 20), 1)
    with server(saying(told_head % len(bomb) + bomb)) as hostile:
        told = lean.run(
            hostile.url,
            """
            answer = client.get("/", check=lambda answer: answer.content)
            found = [answer.status_code, str(answer.error)]
        """,
        )
    assert told.found == [200, "the body unpacks to more than 67108864 bytes"]
    assert told.outcomes == {("GET /", "check failed"): 1}


def test_a_body_that_is_not_packed_as_its_head_says_fails_the_check(lean):
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope"
    with server(saying(head)) as hostile:
        told = lean.run(hostile.url, "found = str(client.get('/', check=lambda a: a.content).error)")
    assert told.found == "the body is not packed as its head says"


def test_a_server_that_drips_runs_into_the_time_limit(lean):
    with server(saying(*[b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 1000], pause=0.02)) as hostile:
        told = lean.run(hostile.url, "found = str(client.get('/', name='/', timeout=0.3).error)")
    assert told.outcomes == {("GET /", "timeout"): 1}


def test_a_server_that_does_not_read_runs_into_the_time_limit(lean):
    def behave(_connection, _request):
        time.sleep(3)

    with server(behave) as hostile:
        told = lean.run(
            hostile.url, "found = client.post('/', data=b'x' * 20_000_000, name='/', timeout=0.3).ok"
        )
    assert told.found is False
    assert told.outcomes == {("POST /", "timeout"): 1}


def test_a_host_that_does_not_answer_the_handshake_runs_into_the_time_limit(lean):
    """A full backlog: the kernel drops what would connect."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.settimeout(0)
            filler.connect_ex(full.getsockname())
        host = f"http://127.0.0.1:{full.getsockname()[1]}"
        told = lean.run(host, "client.get('/', name='/', timeout=0.3)")
        for filler in fillers:
            filler.close()
    assert told.outcomes == {("GET /", "timeout"): 1}


def test_nobody_listening_is_a_transport_error(lean):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        host = f"http://127.0.0.1:{unused.getsockname()[1]}"
    told = lean.run(host, "found = str(client.get('/', name='/').error)")
    assert "Connection refused" in told.found
    assert told.outcomes == {("GET /", "transport error"): 1}
    told = lean.run("http://no-such-host.invalid", "found = str(client.get('/', name='/', timeout=20).error)")
    assert "unknown host" in told.found


def closing_after_one(asked):
    """Answer one request a connection, hang up without a word, and count requests."""

    def behave(connection, request):
        asked.append(request)
        connection.sendall(OK)
        connection.shutdown(socket.SHUT_WR)
        receive_request(connection)

    return behave


@pytest.mark.parametrize("rest", [0.0, 0.05, 1.2])
def test_a_connection_that_went_stale_is_replaced_unnoticed(lean, rest):
    asked = []
    with server(closing_after_one(asked)) as hostile:
        told = lean.run(
            hostile.url,
            f"""
            for _ in range(5):
                client.get("/", name="/")
                gevent.sleep({rest})
        """,
        )
    assert told.outcomes == {("GET /", "ok"): 5}
    assert len(asked) == 5


def test_a_request_that_changes_something_is_not_sent_twice(lean):
    asked = []
    with server(closing_after_one(asked)) as hostile:
        told = lean.run(
            hostile.url,
            """
            client.post("/", name="/", data="first")
            client.post("/", name="/", data="second")
            client.post("/", name="/", data="third")
        """,
        )
    assert told.outcomes == {("POST /", "ok"): 2, ("POST /", "transport error"): 1}
    assert len(asked) == 2


def test_a_reset_in_the_middle_is_a_transport_error(lean):
    def behave(connection, _request):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhal")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")

    with server(behave) as hostile:
        told = lean.run(hostile.url, ASK_TWICE)
    assert told.outcomes == {("GET /", "transport error"): 2}


def test_an_answer_to_head_with_a_body_does_not_reach_the_next_request(lean):
    with server(saying(OK)) as hostile:
        told = lean.run(
            hostile.url,
            """
            first = client.head("/")
            second = client.get("/")
            found = [first.status_code, first.content.decode(), second.status_code, second.content.decode()]
        """,
        )
    assert told.found == [200, "", 200, "ok"]


def test_a_cookie_that_is_none_is_ignored(lean):
    cookies = b"Set-Cookie: ;;;=\r\nSet-Cookie: a=1; Domain=evil.test\r\n"
    head = b"HTTP/1.1 200 OK\r\n" + cookies + b"Content-Length: 2\r\n\r\nok"
    with server(saying(head)) as hostile:
        told = lean.run(hostile.url, "client.get('/'); client.get('/'); found = len(client.cookies)")
    assert told.found == 0
    assert told.error is None


@pytest.mark.parametrize("name", [b"Set-Cookie", b"set-cookie", b"SET-COOKIE", b"Set-cookie"])
def test_a_cookie_is_kept_however_its_header_is_spelt(lean, name):
    head = b"HTTP/1.1 200 OK\r\n" + name + b": a=1\r\nContent-Length: 2\r\n\r\nok"
    with server(saying(head)) as hostile:
        told = lean.run(hostile.url, "client.get('/'); found = client.cookies['a']")
    assert told.found == "1"


@pytest.mark.parametrize(
    "location", [b"http://evil.test/x", b"//evil.test/x", b"http://127.0.0.1:1/", b"https://[bad", b""]
)
def test_a_redirect_to_anywhere_else_is_not_followed(lean, location):
    answer = b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n"
    with server(saying(answer)) as hostile:
        told = lean.run(hostile.url, "found = client.get('/', name='/').status_code", max_redirects=2)
    assert told.found == 302
