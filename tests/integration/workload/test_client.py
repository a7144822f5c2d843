"""The lean client against gunicorn, as scenarios use it."""

import pytest
from lean import Lean, gunicorn


@pytest.fixture(scope="module")
def url():
    """A server that keeps connections alive."""
    with gunicorn("--worker-class", "gthread", "--threads", "4", "--keep-alive", "60") as found:
        yield found


@pytest.fixture(scope="module")
def lean():
    driver = Lean()
    yield driver
    driver.close()


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


def test_redirects_are_followed_within_the_host_with_the_cookies_of_each_hop(lean, url):
    told = lean.run(url, "found = client.get('/hop/3?code=302').json()")
    assert told.found["path"] == "/echo"
    assert told.found["headers"]["cookie"] == "hop3=1; hop2=1; hop1=1"
    assert told.outcomes == {("GET /hop/3?code=302", "ok"): 1}


@pytest.mark.parametrize(
    ("code", "method", "body"), [(303, "GET", ""), (302, "GET", ""), (307, "POST", '{"a":1}')]
)
def test_a_redirect_keeps_method_and_body_where_its_status_says_so(lean, url, code, method, body):
    told = lean.run(url, f"found = client.post('/hop/1?code={code}', json={{'a': 1}}).json()")
    assert (told.found["method"], told.found["body"]) == (method, body)


def test_redirects_that_lead_away_or_on_and_on_are_not_followed(lean, url):
    told = lean.run(
        url,
        """
        away = client.get("/away", name="/away")
        endless = client.get("/hop/99", name="/endless")
        stay = client.get("/hop/2", name="/stay", allow_redirects=False)
        found = [away.status_code, away.headers["Location"], str(endless.error), stay.status_code]
    """,
    )
    assert told.found == [302, "http://127.0.0.1:9/stray", "more than 10 redirects", 302]
    assert told.outcomes == {
        ("GET /away", "3xx"): 1, ("GET /endless", "check failed"): 1, ("GET /stay", "3xx"): 1,
    }  # fmt: skip


def test_cookies_are_kept_by_path_and_until_they_expire(lean, url):
    told = lean.run(
        url,
        """
        def cookie(path="/echo"):
            return client.get(path).json()["headers"].get("cookie", "")
        client.get("/set?cookie=a%3D1&cookie=b%3D2%3B+Path%3D/status")
        found = [cookie()]
        client.get("/set?cookie=c%3D3%3B+Max-Age%3D1")
        found.append(cookie())
        gevent.sleep(1.2)
        found.append(cookie())
        client.get("/set?cookie=a%3D%3B+Max-Age%3D0")
        client.get("/set?cookie=b%3D%3B+Path%3D/status%3B+Max-Age%3D0")
        found.append(cookie())
        client.cookies.set("d", "4")
        found.append(cookie())
    """,
    )
    assert told.found == ["a=1", "a=1; c=3", "a=1", "", "d=4"]


def test_cookies_that_expire_are_left_out_of_plain_requests_too(lean, url):
    told = lean.run(
        url,
        """
        client.get("/set?cookie=c%3D3%3B+Max-Age%3D1")
        found = [client.get("/echo").json()["headers"].get("cookie")]
        gevent.sleep(1.2)
        found.append(client.get("/echo").json()["headers"].get("cookie"))
    """,
    )
    assert told.found == ["c=3", None]


def test_users_do_not_share_cookies_and_may_do_without(lean, url):
    code = """
        client.get("/set?cookie=a%3D1")
        found = [one.client.get("/echo").json()["headers"].get("cookie") for one in (user, cls(environment))]
    """
    assert lean.run(url, code).found == ["a=1", None]
    assert lean.run(url, code, keep_cookies=False).found == [None, None]


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


def test_what_start_and_stop_send_is_not_recorded(lean, url):
    told = lean.run(url, """
        class Starting(cls):
            def on_start(self):
                self.client.get("/json", name="/start")
            def on_stop(self):
                self.client.get("/json", name="/stop")
            @locust.task
            def work(self):
                self.client.get("/json", name="/work")
                raise locust.exception.StopUser()
        Starting(environment).run()
    """, listen=True)  # fmt: skip
    assert told.outcomes == {("GET /work", "ok"): 1}
    assert [name for _, name, *_ in told.fired] == ["/start", "/work", "/stop"]


def test_a_request_that_was_due_earlier_has_a_lag_once(lean, url):
    told = lean.run(
        url,
        """
        due.set_due(time.perf_counter_ns() - 500_000_000)
        client.get("/json", name="/first")
        client.get("/json", name="/second")
    """,
    )
    lag = {endpoint: lag for endpoint, _, _, _, lag in told.recorded}
    response = {endpoint: largest for endpoint, _, _, largest, _ in told.recorded}
    assert lag["GET /first"] >= 500_000
    assert response["GET /first"] > lag["GET /first"]
    assert lag["GET /second"] == 0


def test_locusts_event_is_fired_for_those_who_listen(lean, url):
    told = lean.run(url, """
        client.get("/json", name="/named", context={"a": 1})
        with client.rename_request("/renamed"):
            client.get("/json")
    """, listen=True)  # fmt: skip
    assert told.fired == [["GET", "/named", 21, "None", {"a": 1}], ["GET", "/renamed", 21, "None", {}]]
    assert told.outcomes == {("GET /named", "ok"): 1, ("GET /renamed", "ok"): 1}


def test_requests_of_other_clients_are_recorded_from_the_event(lean, url):
    told = lean.run(url, """
        def other(base):
            return type("Other", (base,), {"host": user.host, "abstract": False})(environment)
        for base in (locust.HttpUser, locust.FastHttpUser):
            theirs = other(base).client
            due.set_due(time.perf_counter_ns() - 300_000_000)
            theirs.get("/json", name=f"/{base.__name__}")
            theirs.get("/status/503", name=f"/{base.__name__}")
            with theirs.get("/json", name=f"/{base.__name__}", catch_response=True) as answer:
                answer.failure("no")
            with theirs.get("/status/404", name=f"/{base.__name__}", catch_response=True) as answer:
                answer.success()
        def report(took, error):
            event = {"request_type": "SQL", "name": "select", "response_time": took, "exception": error}
            environment.events.request.fire(**event, response_length=0, context={})
        report(12.5, None)
        report(5000, TimeoutError())
    """)  # fmt: skip
    for name in ("GET /HttpUser", "GET /FastHttpUser"):
        counts = {outcome: count for (endpoint, outcome), count in told.outcomes.items() if endpoint == name}
        assert counts == {"ok": 2, "5xx": 1, "check failed": 1}
    lags = {(endpoint, outcome): lag for endpoint, outcome, _, _, lag in told.recorded}
    assert lags["GET /HttpUser", "ok"] >= 300_000
    assert told.outcomes["SQL select", "ok"] == told.outcomes["SQL select", "timeout"] == 1
    times = {(endpoint, outcome): largest for endpoint, outcome, _, largest, _ in told.recorded}
    assert times["SQL select", "ok"] == 12_500
