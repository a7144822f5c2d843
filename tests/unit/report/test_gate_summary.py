"""The gate's result in Markdown, on a terminal, as JUnit and as JSON."""

import io
from xml.etree import ElementTree as ET

import jsonschema
import msgspec
import pytest
from gated import make_gate
from rich.console import Console

from loadstone.errors import ConfigurationError
from loadstone.record.gated import (
    Acceptance,
    GateFinding,
    Kind,
    Status,
    encode_gate,
    gate_schema,
    load_gate,
)
from loadstone.report import gate_summary
from loadstone.report.exports import gate_junit

SLOW = GateFinding(
    experiment="browse",
    kind=Kind.TIMING,
    subject="latency_mean",
    status=Status.FAILED,
    message="mean latency 10 ms → 12 ms: 20% more",
    remedy="mend it",
    before=10_000.0,
    after=12_000.0,
    unit="us",
    estimate=0.2,
    low=0.15,
    high=0.25,
    margin=0.02,
)
QUERIES = GateFinding(
    experiment="browse",
    kind=Kind.EXACT,
    subject="queries",
    endpoint="GET /a|b",
    status=Status.ACCEPTED,
    message="queries per request of GET /a|b: 2 → 3\n0 → 1 calls: SELECT 1",
    before=2.0,
    after=3.0,
    unit="count",
    acceptance=Acceptance(
        up_to="3", reason="audit log", who="jane", until="2026-06-01", file="loadstone.accepted.toml", line=4
    ),
)
HELD = GateFinding(
    experiment="browse", kind=Kind.BUDGET, subject="p99<200ms", status=Status.HELD, message="p99<200ms: 90 ms"
)
HOSTILE = GateFinding(
    experiment="@org/team",
    kind=Kind.BUDGET,
    subject="<img src=x> [a](http://e.vil)",
    status=Status.INCONCLUSIVE,
    message="</details> #1 @everyone\n`x`</code><script>",
    remedy="![i](http://e.vil)",
)


def terminal(result):
    stream = io.StringIO()
    gate_summary.render(result, Console(file=stream, width=400, color_system=None), where="reports/g")
    return stream.getvalue()


def test_markdown_opens_with_the_outcome_and_folds_what_held():
    text = gate_summary.markdown(make_gate([HELD, SLOW, QUERIES]))
    assert text.startswith("<!-- loadstone-gate -->\n### ✗ Gate failed\n")
    assert "10.0 ms → 12.0 ms | +20% \\[+15%, +25%\\]" in text
    assert "accepted up to 3 until 2026-06-01 by jane: audit log" in text
    assert text.index("p99") > text.index("<details>")
    assert "GET /a|b" not in text


def test_no_text_of_others_is_markup_link_or_mention():
    text = gate_summary.markdown(make_gate([HOSTILE]))
    for evil in ("<img", "](http:", "@org", "@everyone", "#1 ", "<script", "</details> "):
        assert evil not in text.replace("@&#8203;", "").replace("#&#8203;", "")


def test_the_terminal_names_the_remedy_and_who_accepted():
    text = terminal(make_gate([HELD, SLOW, QUERIES]))
    assert text.startswith("✗ GATE FAILED  HEAD^1 aaaaaaaaaaaa (as it was) → bbbbbbbbbbbb (as it is)")
    assert "✗ failed  browse: mean latency" in text
    assert "remedy: mend it" in text
    assert "by jane: audit log" in text
    assert "browse: 1 held, as ever, 70 s" in text
    assert "took 1 min 15 s, exact facts known after 8 s; reports/g" in text


def test_junit_fails_what_failed_and_skips_what_is_open():
    suite = ET.fromstring(gate_junit.render(make_gate([HELD, SLOW, QUERIES, HOSTILE])))[0]  # noqa: S314 - our own
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("4", "1", "1")
    failed = suite.find("testcase/failure")
    assert failed is not None
    assert "remedy: mend it" in failed.text


def test_json_follows_its_schema_and_is_read_again(tmp_path):
    result = make_gate([HELD, SLOW, QUERIES])
    jsonschema.validate(msgspec.json.decode(encode_gate(result)), gate_schema())
    (tmp_path / "gate.json").write_bytes(encode_gate(result))
    assert load_gate(tmp_path) == result


@pytest.mark.parametrize("data", [b"", b"{}", b"[" * 100_000, b'{"gate_version": "2.0"}'])
def test_what_is_no_result_is_refused(tmp_path, data):
    (tmp_path / "gate.json").write_bytes(data)
    with pytest.raises(ConfigurationError):
        load_gate(tmp_path / "gate.json")
