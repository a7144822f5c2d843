"""Markdown for a pull request."""

from __future__ import annotations

import re

import pytest

from loadstone.report import markdown, wording


def rows(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("|")]


def test_it_opens_with_the_verdict(any_result):
    verdict = any_result.verdict.verdict
    assert markdown.render(any_result).startswith(
        f"### {wording.VERDICTS[verdict].symbol} {str(verdict).capitalize()}"
    )


def test_the_table_and_the_folded_rest(results):
    text = markdown.render(results.improved())
    assert "| **mean latency** | 44.0 ms → 14.8 ms | −66.4% | −66.7% to −66.1% | ✓ improved |" in text
    assert text.count("<details>") == text.count("</details>") == 5
    assert text.index("mean latency") < text.index("<details>")


def test_unavailable_is_not_zero(results):
    assert "not measurable here: needs 2000 pairs" in markdown.render(results.p99_unavailable())


def test_every_row_of_a_table_has_as_many_cells_as_its_head(any_result):
    lines = markdown.render(any_result).splitlines()
    width = 0
    for line in lines:
        if not line.startswith("|"):
            width = 0
            continue
        bars = len(re.findall(r"(?<!\\)\|", line))
        width = width or bars
        assert bars == width, line


def test_no_tag_of_others_gets_through(results):
    outside = re.sub(r"(?ms)^(`{3,})[a-z]*$.*?^\1$", "", markdown.render(results.hostile()))
    assert set(re.findall(r"<[^>]*>", outside)) <= {
        "<details>",
        "</details>",
        "<summary>",
        "</summary>",
        "<code>",
        "</code>",
    }


@pytest.mark.parametrize(
    ("raw", "escaped"),
    [
        ("a|b", "a\\|b"),
        ("`x`", "\\`x\\`"),
        ("<b>", "&lt;b&gt;"),
        ("@team", "\\@&#8203;team"),
        ("#12", "\\#&#8203;12"),
        ("https://evil.example", "https&#8203;://evil.example"),
        ("[a](b)", "\\[a\\](b)"),
    ],
)
def test_names_lose_their_powers(raw, escaped):
    assert markdown.escape(raw) == escaped


def test_no_run_of_backticks_closes_a_block():
    assert markdown.fenced("a\n````\nb").startswith("`````\n")


def test_payload_differences_are_diffs(results):
    text = markdown.render(results.invalid())
    assert '-  "price": "12.90",' in text
    assert "```diff" in text


def test_several_variants_have_a_table_each(results):
    text = markdown.render(results.three_variants())
    assert text.count("| **mean latency** |") == 2


def test_exact_facts_alone_are_not_folded_away(results):
    text = markdown.render(results.probed())
    assert "| **queries** | 7 → 8 | ✗ regressed |" in text
    assert "probed in 4 s" in text
    assert "false-alarm rate" not in text


def test_a_change_of_queries_is_told_beside_the_timing(results):
    opening = markdown.render(results.improved()).split("|")[0]
    assert "Queries per request 61 → 2" in opening


def test_it_says_what_decides_and_what_is_a_diagnosis(results):
    text = markdown.render(results.improved())
    assert "over all endpoints decide: false alarms of the whole gate at most 1%" in text
    assert "false discoveries at most 1% of those told" in text


def test_an_open_question_says_what_could_be_seen_and_what_would_settle_it(results):
    text = markdown.render(results.inconclusive())
    assert re.search(
        r"- mean latency: smallest change that this run could have seen \S+%; about 14 more minutes", text
    )


def test_controls_are_folded_away_and_what_they_warn_of_is_not(results):
    text = markdown.render(results.controlled())
    shown, _, folded = text.partition("<details><summary>Controls</summary>")
    assert "| orm=naive (spiked) | CPU per request | +4.0% | +1.1% | −0.9% to +3.1% | ▲ not seen |" in folded
    assert "a known change was not seen" in shown
    assert "(spiked)" not in shown
    assert "<summary>Controls" not in markdown.render(results.improved())
