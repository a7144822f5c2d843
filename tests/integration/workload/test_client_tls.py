"""The lean client over TLS, against a real gunicorn with a certificate of its own."""

import pytest
from lean import FIXTURES, Lean, gunicorn

CERTIFICATE = str(FIXTURES / "tls" / "localhost.crt")


@pytest.fixture(scope="module")
def url():
    options = ["--certfile", CERTIFICATE, "--keyfile", str(FIXTURES / "tls" / "localhost.key")]
    with gunicorn("--worker-class", "gthread", "--threads", "4", "--keep-alive", "60", *options) as found:
        yield found.replace("http://", "https://")


@pytest.fixture(scope="module")
def lean():
    driver = Lean()
    yield driver
    driver.close()


def test_requests_go_over_a_connection_that_is_kept(lean, url):
    told = lean.run(url, """
        found = [client.get("/json").json()["id"] for _ in range(5)]
        connection = client._idle[0]
        used = connection._socket
        found.append(client.post("/echo", json={"a": 1}).json()["body"])
        found.append(connection._socket is used)
    """, verify=CERTIFICATE)  # fmt: skip
    assert told.found == [7] * 5 + ['{"a":1}', True]


def test_a_big_answer_and_a_big_request_arrive_whole(lean, url):
    told = lean.run(url, """
        big = client.get("/big").content
        sent = client.post("/echo", data=b"x" * 3_000_000).json()
        found = [big == b"0123456789abcdef" * 100_000, len(sent["body"])]
    """, verify=CERTIFICATE)  # fmt: skip
    assert told.found == [True, 3_000_000]


def test_a_certificate_that_nobody_vouches_for_is_refused_unless_told_otherwise(lean, url):
    code = "answer = client.get('/json', name='/json'); found = [answer.status_code, str(answer.error)]"
    told = lean.run(url, code)
    assert told.found[0] == 0
    assert "certificate verify failed" in told.found[1]
    assert told.outcomes == {("GET /json", "transport error"): 1}
    assert lean.run(url, code, verify=False).found == [200, "None"]


def test_a_request_that_takes_too_long_is_a_timeout(lean, url):
    told = lean.run(url, """
        client.get("/slow?s=1", name="/slow", timeout=0.3)
        found = client.get("/json", name="/json").status_code
    """, verify=CERTIFICATE)  # fmt: skip
    assert told.outcomes == {("GET /slow", "timeout"): 1, ("GET /json", "ok"): 1}


def test_a_server_that_speaks_no_tls_is_a_transport_error(lean):
    with gunicorn() as plain:
        told = lean.run(plain.replace("http://", "https://"), "found = client.get('/', name='/').status_code")
    assert told.found == 0
    assert told.outcomes == {("GET /", "transport error"): 1}
