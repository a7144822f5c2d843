"""Redirects and cookies of the lean client, against gunicorn."""

import pytest


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
