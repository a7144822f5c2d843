"""Bodies of answers as the lean client hands them out, and its connections, against gunicorn."""

import pytest
from lean import gunicorn


@pytest.mark.parametrize("path", ["/gzip", "/deflate", "/deflate?raw=1", "/chunked"])
def test_bodies_come_out_whatever_they_were_packed_in(lean, url, path):
    told = lean.run(
        url,
        f"""
        answers = [client.get("{path}") for _ in range(3)]
        found = [[answer.json()["ok"], answer.content[:5].decode()] for answer in answers]
    """,
    )
    assert told.found == [[True, '{"ok"']] * 3


def test_text_follows_its_charset_and_json_its_type(lean, url):
    told = lean.run(
        url,
        """
        import msgspec
        Thing = msgspec.defstruct("Thing", [("id", int)])
        Other = msgspec.defstruct("Other", [("absent", int)])
        found = [client.get("/text").text, client.get("/json").json(Thing).id]
        found.append(str(client.get("/nan").json()["value"]))
        for path, kind in (("/json", Other), ("/broken", None)):
            try:
                client.get(path).json(kind) if kind else client.get(path).json()
            except ValueError as error:
                found.append(type(error).__name__)
    """,
    )
    assert told.found == ["grün", 7, "nan", "ValueError", "JSONDecodeError"]


def test_a_big_answer_and_a_big_request_arrive_whole(lean, url):
    told = lean.run(
        url,
        """
        big = client.get("/big").content
        sent = client.post("/echo", data=b"x" * 3_000_000).json()
        found = [big == b"0123456789abcdef" * 100_000, sent["length"], sent["body"] == "x" * 3_000_000]
    """,
    )
    assert told.found == [True, "3000000", True]


def test_a_head_request_has_no_body_and_leaves_the_connection_usable(lean, url):
    told = lean.run(
        url,
        """
        first = client.head("/json")
        found = [first.status_code, first.content.decode(), first.headers["content-length"]]
        found += [client.get("/json").json()["id"], client.head("/hop/1").status_code]
        found += [client.head("/hop/1", allow_redirects=True).status_code]
    """,
    )
    assert told.found == [200, "", "21", 7, 302, 200]


def test_a_server_that_closes_after_each_answer_costs_connections_but_no_errors(lean):
    with gunicorn("--worker-class", "sync") as url:
        told = lean.run(url, "for _ in range(20): client.get('/json', name='/json')")
    assert told.outcomes == {("GET /json", "ok"): 20}


def test_a_request_that_takes_too_long_is_a_timeout_and_the_next_one_is_well(lean, url):
    told = lean.run(
        url,
        """
        late = client.get("/slow?s=1", name="/slow", timeout=0.2)
        found = [late.status_code, type(late.error).__name__, client.get("/json").json()["id"]]
    """,
    )
    assert told.found == [0, "AnswerTimeoutError", 7]
    assert told.outcomes == {("GET /slow", "timeout"): 1, ("GET /json", "ok"): 1}
    (took,) = [largest for _, outcome, _, largest, _ in told.recorded if outcome == "timeout"]
    assert took >= 200_000  # censored: it took at least the time it was given


def test_the_limit_of_a_user_holds_for_all_its_requests(lean, url):
    told = lean.run(url, "for _ in range(2): client.get('/slow?s=1', name='/slow')", timeout=0.1)
    assert told.outcomes == {("GET /slow", "timeout"): 2}


def test_greenlets_of_one_user_use_connections_of_their_own(lean, url):
    told = lean.run(
        url,
        """
        jobs = [gevent.spawn(client.get, f"/slow?s=0.2&n={n}", "/slow") for n in range(4)]
        gevent.joinall(jobs)
        found = [sorted(job.value.url[-1] for job in jobs), len(client._idle)]
    """,
    )
    assert told.found == [["0", "1", "2", "3"], 4]


def test_a_user_killed_in_a_request_leaves_nothing_behind_for_the_next_one(lean, url):
    told = lean.run(
        url,
        """
        job = gevent.spawn(client.get, "/slow?s=0.3", "/slow")
        gevent.sleep(0.1)
        job.kill()
        found = [client.get("/json").json()["id"] for _ in range(3)]
    """,
    )
    assert told.found == [7, 7, 7]
    assert told.outcomes == {("GET /json", "ok"): 3}
