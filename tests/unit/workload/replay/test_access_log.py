import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadstone.errors import ConfigurationError
from loadstone.workload.replay.access_log import read_log

COMMON = '10.0.0.1 - ann [10/Oct/2026:13:55:{:02d} +0200] "{}" 200 2326'


@pytest.fixture
def read(tmp_path):
    def read(text, **options):
        path = tmp_path / "access.log"
        path.write_bytes(text.encode("utf-8", errors="surrogateescape"))
        left_out = Counter()
        return read_log(path, left_out, **options), left_out

    return read


def test_common_and_combined_lines_are_read(read):
    lines = [
        COMMON.format(36, "GET /a?x=1 HTTP/1.1"),
        COMMON.format(38, "HEAD /b HTTP/1.0") + ' "https://ref.example/" "Agent \\"7\\""',
    ]
    raws, left_out = read("\n".join(lines))
    assert [(raw.method, raw.url) for raw in raws] == [("GET", "/a?x=1"), ("HEAD", "/b")]
    assert raws[1].time_s - raws[0].time_s == 2
    assert not left_out


def test_requests_of_one_second_are_spread_over_it_in_their_order(read):
    raws, _ = read(
        "\n".join(COMMON.format(second, f"GET /{place} HTTP/1.1") for second in (1, 2) for place in range(4))
    )
    assert [raw.time_s - raws[0].time_s for raw in raws] == [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75]
    assert [raw.url for raw in raws[:4]] == ["/0", "/1", "/2", "/3"]


@pytest.mark.parametrize(
    "row",
    [
        {"time": "2026-10-10T11:55:36+00:00", "method": "get", "path": "/a"},
        {"@timestamp": "2026-10-10T11:55:36Z", "request": {"method": "GET", "url": "/a"}},
        {"msec": "1791633336.000", "request": "GET /a HTTP/2.0"},
        {"ts": 1791633336000, "verb": "GET", "uri": "/a"},
        {"time_local": "10/Oct/2026:13:55:36 +0200", "request_method": "GET", "request_uri": "/a"},
    ],
)
def test_json_lines_of_several_servers_are_read(read, row):
    (raw,), _ = read(json.dumps(row))
    assert (raw.method, raw.url, raw.time_s) == ("GET", "/a", 1791633336.0)


def test_what_cannot_be_replayed_is_counted(read):
    lines = [
        COMMON.format(1, "GET /a HTTP/1.1"),
        COMMON.format(1, "POST /b HTTP/1.1"),
        COMMON.format(1, "-"),
        COMMON.format(1, "\\x16\\x03\\x01"),
        "",
    ]
    raws, left_out = read("\n".join(lines))
    assert [raw.url for raw in raws] == ["/a"]
    assert left_out == {"whose bodies the log does not have": 1, "that were no HTTP requests": 2}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "holds no request"),
        (COMMON.format(1, "POST / HTTP/1.1"), "holds no request"),
        (
            COMMON.format(1, "GET / HTTP/1.1") + "\nrubbish",
            "line 2 of access.log is no line of an access log",
        ),
        (
            COMMON.format(1, "GET / HTTP/1.1").replace("Oct", "Oct-"),
            "'10/Oct-/2026:13:55:01 .0200' is no time",
        ),
        ("{", "line 1 of access.log"),
        ('{"a":' * 100_000, "line 1 of access.log"),
        ("[1]", "has another format"),
        ('{"time": "soon", "method": "GET", "path": "/"}', "'soon' is no time"),
        ('{"method": "GET", "path": "/"}', "it has no time"),
        ('{"time": 1e400, "method": "GET", "path": "/"}', "line 1"),
        ('{"time": 5, "path": "/"}', "it names no method and path"),
        ('{"time": 5, "method": ["GET"], "path": "/"}', "it names no method and path"),
    ],
)
def test_hostile_lines_give_one_clear_error(read, text, problem):
    with pytest.raises(ConfigurationError, match=problem) as caught:
        read(text)
    assert caught.value.remedy


def test_bad_lines_may_be_left_out(read):
    raws, left_out = read(COMMON.format(1, "GET / HTTP/1.1") + "\nrubbish\n{", skip_bad=True)
    assert len(raws) == 1
    assert left_out["unreadable lines"] == 2


@settings(max_examples=200)
@given(st.lists(st.binary(max_size=120), max_size=5), st.booleans())
def test_any_bytes_are_read_or_refused_in_words(tmp_path_factory, lines, skip_bad):
    path = tmp_path_factory.mktemp("log") / "any.log"
    path.write_bytes(b"\n".join(lines))
    try:
        read_log(path, Counter(), skip_bad=skip_bad)
    except ConfigurationError as error:
        str(error).encode()
