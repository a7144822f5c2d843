import gzip
import json
import zlib

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadstone.config.model import PayloadRule
from loadstone.explain.payload import PayloadChecker, Response, compare

BEFORE, AFTER = "http://127.0.0.1:18001", "http://127.0.0.1:18002"


def reply(value, base=BEFORE, **fields):
    return Response(200, "application/json", json.dumps(value).encode(), base, **fields)


def raw(body, content_type="application/json", **fields):
    return Response(200, content_type, body, **fields)


def reordered(value):
    """The same value with the keys of every object in reverse order."""
    if isinstance(value, dict):
        return {key: reordered(part) for key, part in reversed(value.items())}
    return [reordered(part) for part in value] if isinstance(value, list) else value


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_a_value_equals_itself_under_any_order_of_keys(value):
    assert compare(reply(value), reply(reordered(value))) is None
    assert compare(reply(value), raw(json.dumps(value, indent=3).encode())) is None


def leaves(value, path="$"):
    """Every scalar with its path, for keys that are written plainly."""
    if isinstance(value, dict):
        return [leaf for key, part in value.items() for leaf in leaves(part, f"{path}.{key}")]
    if isinstance(value, list):
        return [leaf for i, part in enumerate(value) for leaf in leaves(part, f"{path}[{i}]")]
    return [path]


def changed(value, path, at="$"):
    """A copy with the scalar at `path` replaced by something that occurs nowhere else."""
    if isinstance(value, dict):
        return {key: changed(part, path, f"{at}.{key}") for key, part in value.items()}
    if isinstance(value, list):
        return [changed(part, path, f"{at}[{i}]") for i, part in enumerate(value)]
    return "changed!" if at == path else value


plain = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(alphabet="xyz", max_size=3)),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=4)
        | st.dictionaries(st.text(alphabet="abc", min_size=1, max_size=3), inner, min_size=1, max_size=4)
    ),
    max_leaves=20,
)


@given(plain, st.data())
def test_a_single_changed_leaf_is_found_at_its_path(value, data):
    path = data.draw(st.sampled_from(leaves(value)))
    difference = compare(reply(value), reply(reordered(changed(value, path))))
    assert difference is not None
    assert (difference.path, difference.after) == (path, '"changed!"')


@pytest.mark.parametrize(
    ("before", "after", "equal"),
    [
        (b"1", b"1.0", True),
        (b"1.10", b"1.1", True),
        (b"100", b"1e2", True),
        (b"0.1", b"0.10000000000000001", False),
        (b"9007199254740993", b"9007199254740992", False),
        (b"1", b"true", False),
        (b"0", b"false", False),
        (b'"1"', b"1", False),
        (b"null", b"0", False),
        (b"NaN", b"NaN", True),
        (b"NaN", b'"NaN"', False),
    ],
)
def test_numbers_are_equal_when_their_exact_values_are(before, after, equal):
    assert (compare(raw(b"[%s]" % before), raw(b"[%s]" % after)) is None) is equal


@pytest.mark.parametrize(
    ("before", "after", "path", "shown"),
    [
        ({"a": 1}, {}, "$.a", ("1", "(absent)")),
        ({}, {"a b": [1]}, '$["a b"]', ("(absent)", "[1]")),
        ({"r": [1, 2]}, {"r": [1]}, "$.r", ("2 items", "1 items")),
        ([1, 2], [2, 1], "$[0]", ("1", "2")),
        ([{"p": 1}], [[1]], "$[0]", ('{"p": 1}', "[1]")),
        ("x" * 500, "y", "$", ('"' + "x" * 119 + "…", '"y"')),
    ],
)
def test_differences_are_named_where_they_are(before, after, path, shown):
    difference = compare(reply(before), reply(after), endpoint="list", request="/x")
    assert (difference.path, (difference.before, difference.after)) == (path, shown)
    assert (difference.endpoint, difference.request) == ("list", "/x")


def test_the_diff_is_short_and_keeps_numbers_as_they_were_written():
    rows = [{"id": i, "price": i} for i in range(500)]
    difference = compare(
        raw(json.dumps(rows).encode()), raw(json.dumps(rows).encode().replace(b"250}", b"2.50}"))
    )
    assert difference.diff.splitlines() == [
        "--- before", "+++ after", "@@", " {", '   "id": 250,', '-  "price": 250', '+  "price": 2.50', " }",
    ]  # fmt: skip


def test_status_and_media_type_must_agree_but_not_the_charset():
    ok = raw(b"[]")
    assert compare(ok, Response(500, "application/json", b"[]")).path == "status"
    assert compare(ok, raw(b"[]", "text/html")).path == "content-type"
    assert compare(ok, raw(b"[]", "Application/JSON; charset=utf-8")) is None


@pytest.mark.parametrize("write", ["{}/p?page=2", "go to {}", "{}"])
def test_a_variant_s_own_address_is_the_same_as_the_other_s(write):
    assert compare(reply({"next": write.format(BEFORE)}), reply({"next": write.format(AFTER)}, AFTER)) is None


@pytest.mark.parametrize(
    "spell", [lambda u: u.replace("/", "\\/"), lambda u: u.replace(":", "%3A").replace("/", "%2F")]
)
def test_an_address_is_known_in_other_spellings(spell):
    one, other = (f'{{"next":"{spell(base)}"}}'.encode() for base in (BEFORE, AFTER))
    assert compare(raw(one, base_url=BEFORE), raw(other, base_url=AFTER)) is None


def test_a_longer_port_is_another_address():
    difference = compare(
        reply({"u": "http://h:8000/"}, "http://h:80"), reply({"u": "http://h:8000/"}, "http://h:81")
    )
    assert difference is None
    assert (
        compare(reply({"u": "http://h:80/"}, "http://h:80"), reply({"u": "http://h:80/"}, "http://h:8"))
        is not None
    )


IGNORE = PayloadRule("clock", ignore=("now", "took"))
ENVELOPE = PayloadRule("envelope", unwrap="results", common_prefix=True)


@pytest.mark.parametrize(
    ("before", "after", "rules", "path"),
    [
        ({"now": 1, "a": [{"took": 1}]}, {"now": 2, "a": [{}]}, [IGNORE], None),
        ({"now": 1, "b": 1}, {"now": 2, "b": 2}, [IGNORE], "$.b"),
        ({"count": 9, "results": [1, 2]}, {"next": "c", "results": [1, 2]}, [ENVELOPE], None),
        ({"count": 9, "results": [1, 2]}, [1, 2, 3], [ENVELOPE], None),
        ({"results": [1, 2]}, [1, 3, 3], [ENVELOPE], "$[1]"),
        ({"results": []}, [1], [ENVELOPE], "$"),
        ({"results": [{"now": 1}]}, [{"now": 2}], [ENVELOPE, IGNORE], None),
        ({"a": {"results": [1]}}, {"a": [1]}, [ENVELOPE], "$.a"),
        ({"results": [1]}, [1], [], "$"),
    ],
)
def test_rules_allow_what_they_name_and_nothing_else(before, after, rules, path):
    difference = compare(reply(before), reply(after), rules)
    assert (difference and difference.path) == path


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda body: zlib.compress(body, wbits=-15)),
        ("br", brotli.compress),
        ("br, gzip", lambda body: gzip.compress(brotli.compress(body))),
        ("gzip", lambda body: body),
        ("identity", lambda body: body),
    ],
)
def test_content_encodings_are_undone_unless_they_already_are(encoding, encode):
    body = b'{"a": [1, 2, 3]}'
    encoded = raw(encode(body), content_encoding=encoding)
    assert compare(encoded, raw(b'{ "a":[1,2,3] }')) is None
    assert compare(encoded, raw(b'{ "a":[1,2,4] }')).path == "$.a[2]"


def test_text_is_compared_by_line_and_shown_around_the_column():
    one, other = ("a\n" + "x" * 300 + mark + "\nb" for mark in "12")
    difference = compare(raw(one.encode(), "text/html"), raw(other.encode(), "text/html"))
    assert difference.path == "line 2"
    assert difference.before.endswith("x1")
    assert "-…" in difference.diff


def test_bytes_are_compared_from_the_first_that_differs():
    one, other = (bytes(2000) + tail for tail in (b"\x01\x02", b"\x01\x03\x04"))
    difference = compare(raw(one, "image/png"), raw(other, "image/png"))
    assert (difference.path, difference.before) == ("byte 2001", "02 (2002 bytes)")


@pytest.mark.parametrize(
    "body", [b"[" * 5000 + b"]" * 5000, b"[" * 950 + b"]" * 950, b"{", b"\xff\xfe{", b""]
)
def test_what_is_no_usable_json_is_still_compared(body):
    assert compare(raw(body), raw(body), [IGNORE]) is None
    assert compare(raw(body), raw(body + b"x"), [IGNORE]) is not None


def test_the_checker_counts_every_pair_and_keeps_a_few_differences():
    checker = PayloadChecker([ENVELOPE, IGNORE])
    for number in range(20):
        checker.add("list", f"/{number}", reply([1]), reply([number]))
    check = checker.result()
    assert (check.checked, check.equal, len(check.differences)) == (20, 1, 5)
    assert check.differences[0].request == "/0"
    assert check.rules == [
        "envelope: takes `results` for the whole; compares top-level lists over the shorter one's length",
        "clock: ignores `now`, `took`",
    ]


def test_a_304_stands_for_what_the_client_has_only_where_a_rule_says_so():
    kept = PayloadRule("kept", not_modified=True)
    sent, spared = reply([1]), Response(304, "", b"")
    assert compare(sent, spared).path == "status"
    assert compare(sent, spared, [kept]) is None
    assert compare(spared, sent, [kept]) is None
    assert compare(Response(404, "application/json", b"{}"), spared, [kept]).path == "status"
    assert compare(sent, Response(304, "application/json", b"[2]"), [kept]).path == "status"
    assert compare(reply([1]), reply([2]), [kept]).path == "$[0]"


def test_an_answer_that_broke_off_is_not_like_a_whole_one_with_the_same_bytes():
    found = compare(raw(b"[1, 2]"), raw(b"[1, 2]", broken="transport error"))
    assert found is not None
    assert (found.path, found.before, found.after) == ("answer", "whole", "transport error")
