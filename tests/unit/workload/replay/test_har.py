import json

import pytest

from loadstone.errors import ConfigurationError
from loadstone.workload.replay.entries import REMOVED, take
from loadstone.workload.replay.har import read_har


def har(*entries: dict) -> str:
    return json.dumps({"log": {"version": "1.2", "creator": {}, "entries": list(entries)}})


def entry(
    url="https://shop.example/", at="2026-03-01T10:00:00.000Z", method="GET", body="", **headers
) -> dict:
    request = {"method": method, "url": url, "headers": [{"name": n, "value": v} for n, v in headers.items()]}
    if body:
        request["postData"] = {"mimeType": "x", "text": body}
    return {"startedDateTime": at, "request": request, "response": {}, "time": 12.5}


@pytest.fixture
def read(tmp_path):
    def read(text, **options):
        path = tmp_path / "day.har"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return take(read_har(path), **options)

    return read


def test_requests_keep_their_times_in_order(read):
    taken = read(
        har(
            entry("https://shop.example/products/17?page=2", "2026-03-01T10:00:02.500Z"),
            entry("https://shop.example/", "2026-03-01T11:00:01+01:00"),
        )
    )
    assert [(one.at, one.path, one.name) for one in taken.entries] == [
        (0.0, "/", "/"),
        (1.5, "/products/17?page=2", "/products/{id}"),
    ]


def test_the_most_frequent_host_is_taken_unless_another_is_named(read):
    text = har(*[entry("https://shop.example/a")] * 2, entry("https://ads.example/b"))
    assert read(text).left_out["of other hosts"] == 1
    assert [one.path for one in read(text, host="ads.example").entries] == ["/b"]
    with pytest.raises(ConfigurationError, match="no request is left"):
        read(text, host="nowhere.example")


def test_secrets_are_left_out_unless_asked_for(read):
    text = har(
        entry(
            "https://u:p@shop.example/login?next=/a&access_token=abc",
            method="POST",
            body=json.dumps({"user": "ann", "password": "hunter2", "deep": [{"api_key": "k"}]}),
            **{
                "Content-Type": "application/json",
                "Cookie": "sid=1",
                "Authorization": "Bearer x",
                "Accept": "*/*",
            },
        )
    )
    (clean,) = read(text).entries
    assert clean.headers == {"Content-Type": "application/json", "Accept": "*/*"}
    assert clean.path == f"/login?next=%2Fa&access_token={REMOVED}"
    assert json.loads(clean.body) == {"user": "ann", "password": REMOVED, "deep": [{"api_key": REMOVED}]}
    for word in ("hunter2", "Bearer", "sid=1", "abc", "u:p"):
        assert word not in repr(clean)
    (whole,) = read(text, secrets=True).entries
    assert whole.headers["Cookie"] == "sid=1"
    assert "hunter2" in whole.body


def test_secret_fields_of_forms_are_left_out(read):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    (clean,) = read(har(entry(method="POST", body="user=ann&pwd=hunter2", **form))).entries
    assert clean.body == f"user=ann&pwd={REMOVED}"


def test_headers_that_a_client_sets_itself_are_not_copied(read):
    (clean,) = read(har(entry(**{":authority": "x", "Host": "x", "Content-Length": "3", "X-A": "1"}))).entries
    assert clean.headers == {"X-A": "1"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is no HAR file"),
        ("[1", "is no HAR file"),
        ("[" * 100_000, "is no HAR file"),
        (b"\xff\xfe\x00", "is no HAR file"),
        ('{"log": {}}', "is no HAR file"),
        (har({"startedDateTime": 5, "request": {}}), "is no HAR file"),
        (har(), "holds 0 requests"),
        (har(entry(at="yesterday")), "entry 1 of day.har has no time"),
        (har(entry(), entry(method="GET /evil HTTP/1.1\r\nX")), "is no method"),
        (har(entry("https://shop.example/a b")), "is no URL"),
        (har(entry("https://shop.example/\r\nX: y")), "is no URL"),
        (har(entry(**{"X-A": "1\r\nX-B: 2"})), "the header 'X-A' is none"),
        (har(entry(**{"X A": "1"})), "the header 'X A' is none"),
        (har(entry("data:text/plain,hello")), "no request is left"),
    ],
)
def test_hostile_files_give_one_clear_error(read, text, problem):
    with pytest.raises(ConfigurationError, match=problem) as caught:
        read(text)
    assert caught.value.remedy


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_har(tmp_path / "none.har")
