"""What the lean client sends to gunicorn, and what it makes of the answer's status."""

import pytest


def test_a_request_is_named_checked_and_recorded(lean, url):
    told = lean.run(
        url,
        """
        a = client.get("/json?n=1", name="/json", check=lambda answer: answer.json()["id"] == 7)
        b = client.get("/json?n=2", name="/json", check=lambda answer: answer.json()["id"] == 8)
        def raising(answer):
            assert answer.json()["id"] == 9, "not nine"
        c = client.get("/json", check=raising)
        found = [a.status_code, a.ok, a.error, b.ok, str(b.error), str(c.error)]
    """,
    )
    assert told.found == [200, True, None, False, "the check failed", "not nine"]
    assert told.outcomes == {
        ("GET /json", "ok"): 1,
        ("GET /json", "check failed"): 2,
    }


def test_what_is_sent_is_what_was_asked_for(lean, url):
    told = lean.run(
        url,
        """
        found = [
            client.get("/echo", params={"q": "a b", "many": [1, 2], "none": None}).json(),
            client.post("/echo", json={"name": "ä", "n": 1}).json(),
            client.post("/echo", {"a": 1, "b": "c d"}).json(),
            client.put("/echo", data=b"raw", headers={"Content-Type": "x/y", "X-One": "1"}).json(),
            client.patch("/echo", data="text").json(),
            client.delete("/echo").json(),
            client.options("/echo").json(),
            client.post("/echo").json(),
        ]
    """,
    )
    query, posted, form, put, patch, delete, options, empty = told.found
    assert query["query"] == "q=a+b&many=1&many=2"
    assert (posted["type"], posted["body"]) == (
        "application/json",
        '{"name":"ä","n":1}'.encode().decode("latin-1"),
    )
    assert (form["type"], form["body"]) == ("application/x-www-form-urlencoded", "a=1&b=c+d")
    assert (put["type"], put["body"], put["headers"]["x_one"]) == ("x/y", "raw", "1")
    assert patch["body"] == "text"
    assert [one["method"] for one in (query, posted, put, patch, delete, options)] == [
        "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS",
    ]  # fmt: skip
    assert empty["length"] == "0"
    assert "authorization" not in query["headers"]


def test_files_go_as_a_multipart_form(lean, url):
    told = lean.run(
        url,
        """
        found = client.post("/echo", data={"a": 1}, files={"f": ("x.txt", b"inside", "text/plain")}).json()
    """,
    )
    assert told.found["type"].startswith("multipart/form-data; boundary=")
    assert 'name="f"; filename="x.txt"' in told.found["body"]
    assert "inside" in told.found["body"]


def test_headers_and_credentials_belong_to_one_user(lean, url):
    told = lean.run(
        url.replace("http://", "http://me:p%40ss@"),
        """
        found = [client.get("/echo").json()["headers"]]
        client.headers["Authorization"] = "Bearer token"
        found.append(client.get("/echo").json()["headers"])
        found.append(client.get("/echo", auth=("you", "word")).json()["headers"])
        found.append(client.get("/echo", headers={"x-extra": "1", "accept": None}).json()["headers"])
        del client.headers["authorization"]
        found.append(client.get("/echo").json()["headers"])
        other = cls(environment)
        found.append(other.client.get("/echo").json()["headers"])
        """,
        default_headers={"X-Base": "b"},
    )
    first, bearer, basic, extra, none, other = told.found
    assert first["authorization"] == other["authorization"] == "Basic bWU6cEBzcw=="
    assert bearer["authorization"] == extra["authorization"] == "Bearer token"
    assert basic["authorization"] == "Basic eW91OndvcmQ="
    assert extra["x_extra"] == "1"
    assert "accept" not in extra
    assert "authorization" not in none
    assert {one["x_base"] for one in told.found} == {"b"}


def test_a_header_cannot_smuggle_another(lean, url):
    told = lean.run(url, r"client.get('/echo', headers={'X-A': 'b\r\nX-C: d'})")
    assert told.error.startswith("ValueError")
    told = lean.run(url, r"client.headers['X-A'] = 'b\nX-C: d'; client.get('/echo')")
    assert told.error.startswith("ValueError")


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/echo?x=a b", "x=a%20b"),
        ("/echo?x=ä", "x=%C3%A4"),
        ("/echo?x=%20", "x=%20"),
        ("/echo?x=1#part", "x=1"),
        ("echo?x=2", "x=2"),
        ("/echo?x=a\\r\\nX-B: c", "x=a%0D%0AX-B:%20c"),
    ],
)
def test_addresses_are_quoted(lean, url, path, sent):
    assert lean.run(url, f"found = client.get('{path}').json()['query']").found == sent


def test_a_whole_address_of_the_host_is_fine_and_one_of_another_is_refused(lean, url):
    assert lean.run(url, f"found = client.get('{url}/echo?a=1').json()['query']").found == "a=1"
    told = lean.run(url, "client.get('http://127.0.0.1:9/')")
    assert told.error.startswith("ForeignHostError")
    assert told.recorded == []


def test_a_path_of_the_host_begins_every_path(lean, url):
    assert lean.run(f"{url}/status", "found = client.get('/404').status_code").found == 404


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, "ok"),
        (204, "ok"),
        (300, "3xx"),
        (304, "ok"),
        (404, "other 4xx"),
        (429, "429"),
        (500, "5xx"),
        (503, "5xx"),
    ],
)
def test_a_status_decides_the_outcome(lean, url, status, outcome):
    told = lean.run(
        url,
        f"""
        for _ in range(2):
            answer = client.get("/status/{status}", name="/status")
        found = [answer.status_code, answer.content.decode()]
    """,
    )
    assert told.found[0] == status
    assert told.outcomes == {("GET /status", outcome): 2}


def test_a_with_block_has_the_last_word(lean, url):
    told = lean.run(url, """
        with client.get("/status/404", name="/expected", catch_response=True) as answer:
            answer.success()
        with client.get("/json", name="/bad", catch_response=True) as answer:
            answer.failure("wrong")
        with client.get("/status/500", name="/fail", catch_response=True):
            pass
        with client.get("/json", name="/well", catch_response=True) as answer:
            found = answer.json()
        client.get("/json", name="/forgotten", catch_response=True)
        try:
            with client.get("/json", name="/raised", catch_response=True) as answer:
                answer.json()["absent"]
        except KeyError:
            found["raised"] = True
        with user.rest("GET", "/json", name="/rest") as answer:
            assert answer.js["id"] == 8, "not eight"
    """, listen=True)  # fmt: skip
    assert told.found == {"ok": True, "id": 7, "raised": True}
    assert told.outcomes == {
        ("GET /expected", "ok"): 1, ("GET /bad", "check failed"): 1, ("GET /fail", "5xx"): 1,
        ("GET /well", "ok"): 1, ("GET /forgotten", "ok"): 1, ("GET /raised", "check failed"): 1,
        ("GET /rest", "check failed"): 1,
    }  # fmt: skip
    assert [(name, exception) for _, name, _, exception, _ in told.fired if exception != "None"] == [
        ("/bad", "CatchResponseError('wrong')"),
        ("/fail", "BadStatusError('GET /status/500 was answered with 500')"),
        ("/raised", "KeyError('absent')"),
        ("/rest", "CatchResponseError('not eight')"),
    ]
