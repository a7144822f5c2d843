"""The page: complete, self-contained, harmless."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import msgspec
import pytest
from msgspec.structs import replace

from loadstone.record.result import Result, decode
from loadstone.report import frame, html

MOST_BYTES = 1_500_000
VOID = {"meta", "link", "br", "img", "input", "hr"}


class Tree(HTMLParser):
    """Notes elements, attributes and text, and whether everything is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.content: list[str] = []
        self.inline: dict[str, list[str]] = {"script": [], "style": []}
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        """Note an element."""
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        """Expect the innermost open element to close."""
        assert self.open.pop() == tag

    def handle_data(self, data):
        """Keep inline code apart from text."""
        if self.open and self.open[-1] in self.inline:
            self.inline[self.open[-1]].append(data)
        else:
            self.content.append(data)

    @property
    def text(self) -> str:
        """All text of the page, its white space evened out."""
        return " ".join(" ".join(self.content).split())


PAGES: dict[int, tuple[Result, Tree]] = {}


def page(result) -> Tree:
    """Parse the page of a result, once as long as the result lives."""
    if id(result) not in PAGES:
        PAGES[id(result)] = result, Tree(html.render(result))
    return PAGES[id(result)][1]


def test_every_element_is_closed(any_result):
    assert page(any_result).open == []


def test_it_is_small(any_result):
    assert len(html.render(any_result).encode()) < MOST_BYTES


def test_it_asks_the_network_for_nothing(any_result):
    tree = page(any_result)
    for tag, attributes in tree.elements:
        for name in ("src", "href", "action", "data", "poster", "srcset"):
            value = attributes.get(name)
            assert value is None or value.startswith(("#", "data:image/svg+xml,")), (tag, value)
    assert "@import" not in "".join(tree.inline["style"])
    assert "url(" not in "".join(tree.inline["style"])


def test_the_policy_allows_this_script_and_this_style_alone(results):
    tree = page(results.improved())
    policy = next(a["content"] for t, a in tree.elements if t == "meta" and "http-equiv" in a)
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    for kind in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(tree.inline[kind][0].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy


def test_nothing_is_styled_or_scripted_inline(any_result):
    for tag, attributes in page(any_result).elements:
        assert "style" not in attributes, tag
        assert not [name for name in attributes if name.startswith("on")], tag
        if tag == "script":
            assert attributes.get("type") in {None, "application/json"}


def test_hostile_names_make_no_element(results):
    tree = page(results.hostile())
    assert not [tag for tag, _ in tree.elements if tag in {"img", "b"}]
    assert len([tag for tag, _ in tree.elements if tag == "script"]) == 4
    assert '</script><script>alert("x")</script>' in tree.text


def test_characters_that_act_are_written_out(results):
    text = html.render(results.hostile())
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", text.split('type="application/json"')[0]
    )


def test_the_embedded_json_is_the_result(any_result):
    tree = page(any_result)
    assert decode(tree.inline["script"][1].encode()) == any_result


def test_a_result_too_large_to_embed_is_left_out(results, monkeypatch):
    monkeypatch.setattr(frame, "MOST_BYTES", 10)
    tree = page(results.improved())
    assert "result.json beside this page" in tree.text
    assert not [a for _, a in tree.elements if a.get("id") == "result"]
    assert not [a for _, a in tree.elements if "data-download" in a]


@pytest.mark.parametrize("variants", [2, 3])
def test_a_hundred_endpoints_do_not_burst_the_page(results, variants):
    result = (results.improved if variants == 2 else results.three_variants)()
    names = [f"GET /api/v1/thing{number}/" for number in range(100)]
    first = result.contrasts[-1].endpoint
    long = [(f"SELECT {number} {'x' * 2000}", 1.0) for number in range(60)]
    many = replace(
        result,
        contrasts=[
            replace(one, endpoint=name) for name in names for one in result.contrasts if one.endpoint == first
        ],
        distributions=[
            replace(one, endpoint=name)
            for name in names
            for one in result.distributions
            if one.endpoint == first
        ],
        probe=replace(
            result.probe,
            facts=[
                replace(one, endpoint=name, statements=long)
                for name in names
                for one in result.probe.facts
                if one.endpoint == first
            ],
        ),
    )
    text = html.render(many)
    assert len(text.encode()) < MOST_BYTES
    assert "more endpoints are in the JSON" in text


def test_the_markdown_is_carried_along(results):
    assert json.loads(page(results.improved()).inline["script"][-1]).startswith("### ✓ Improved")


def test_the_verdict_is_the_first_heading(any_result):
    tree = page(any_result)
    headings = [tag for tag, _ in tree.elements if re.fullmatch(r"h\d", tag)]
    assert headings[0] == "h1"
    assert headings.count("h1") == 1
    assert str(any_result.verdict.verdict).capitalize() in tree.text


@pytest.mark.parametrize(
    ("name", "sentences"),
    [
        ("improved", ["3.0× faster", "44.0 ms → 14.8 ms, 66.4% less, 99.75% interval 66.1% to 66.7% less"]),
        ("regressed", ["14.2% more", "after fails in a way in which before never did: 5xx"]),
        ("equivalent", ["Within ±2%", "99.75% interval 0.8% less to 0.8% more"]),
        ("inconclusive", ["6.1% less to 3.5% more", "about 14 more minutes would likely settle it"]),
        ("invalid", ["This measurement must not be believed: payload, quiet gaps", "must not be believed"]),
        ("partial", ["Partial: interrupted", "Too few generations for a verdict"]),
        ("p99_unavailable", ["Not measurable here: needs 2000 pairs", "Not available here: the processes"]),
        ("three_variants", ["orm=naive → orm=select_related"]),
    ],
)
def test_each_kind_of_run_says_what_it_found(results, name, sentences):
    text = page(results.ALL[name]()).text
    for sentence in sentences:
        assert sentence in text


def test_an_open_question_is_not_shown_as_an_effect(results):
    hero = html.render(results.inconclusive()).split('class="figure')[1].split("</p>")[0]
    assert "1.4%" not in hero


def test_it_shows_statements_with_what_became_of_them(results):
    text = page(results.improved()).text
    assert "20 → 0 gone" in text
    assert "0 → 1 new" in text


def test_it_shows_payload_differences_line_by_line(results):
    text = html.render(results.invalid())
    assert '<span class="removed">-  &#34;price&#34;: &#34;12.90&#34;,</span>' in text


def test_references_within_the_page_lead_somewhere(any_result):
    tree = page(any_result)
    ids = [a["id"] for _, a in tree.elements if "id" in a]
    assert len(ids) == len(set(ids))
    for _, attributes in tree.elements:
        href = attributes.get("href") or ""
        if href.startswith("#"):
            assert href[1:] in ids
        for name in ("aria-labelledby", "data-copy"):
            if attributes.get(name):
                assert attributes[name] in ids


def test_charts_are_named_or_told_in_text(any_result):
    for tag, attributes in page(any_result).elements:
        if tag == "svg" and "chart" in (attributes.get("class") or ""):
            assert attributes.get("aria-label") or attributes.get("aria-hidden") == "true"


def test_a_result_read_back_from_disk_renders_the_same(results):
    result = results.improved()
    assert html.render(msgspec.json.decode(msgspec.json.encode(result), type=Result)) == html.render(result)


def test_a_run_that_saw_nothing_still_has_a_page(results):
    bare = replace(
        results.partial(), generations=[], distributions=[], outcomes=[], probe=None, checks=[], sequence=None
    )
    assert "Too few generations" in page(bare).text


def test_exact_facts_alone_open_with_what_rose(results):
    text = page(results.probed()).text
    assert "7 → 8 queries per request, GET /api/v1/products/{id}/" in text
    assert "the queries decide" in text
    assert "Margin" not in text


def test_a_change_of_queries_is_told_beside_the_timing(results):
    assert "Queries per request 61 → 2" in page(results.improved()).text


def test_steps_of_several_requests_have_a_column_for_them_and_others_have_none(results):
    plain = results.improved()
    assert "Requests and messages" not in page(plain).text
    counted = next(one for one in plain.facts if one.fact == "queries")
    told = replace(counted, fact="exchanges", before=13.0, after=2.0)
    several = page(replace(plain, facts=[*plain.facts, told])).text
    assert "Requests and messages" in several
    assert "13 → 2" in several


def test_facts_of_a_result_of_version_1_0_are_shown_from_its_medians(results):
    old = results.improved()
    facts = [replace(one, totals={}) for one in old.probe.facts]
    old = replace(old, facts=[], probe=replace(old.probe, facts=facts))
    assert "61 → 2 ✓" in page(old).text


def test_sizes_that_differ_by_a_byte_are_not_shown_as_the_same(results):
    old = results.improved()
    facts = [replace(one, after=12_432.0) if one.unit == "bytes" else one for one in old.facts]
    assert "12,431 B → 12,432 B" in page(replace(old, facts=facts)).text


def test_it_says_what_decides_and_what_is_a_diagnosis(results):
    text = page(results.improved()).text
    assert "over all endpoints decide: false alarms of the whole gate at most 1%" in text
    assert "false discoveries at most 1% of those told" in text


def test_a_diagnosis_carries_its_q_value(results):
    text = page(results.improved()).text
    assert "q = 0.0004" in text
    small = replace(results.improved().contrasts[-1], q_value=1e-9)
    assert "q < 0.0001" in page(replace(results.improved(), contrasts=[small])).text


def test_an_open_question_says_what_could_be_seen_and_what_would_settle_it(results):
    text = page(results.inconclusive()).text
    assert re.search(
        r"Mean latency: smallest change that this run could have seen \S+%; about 14 more minutes", text
    )


def test_controls_are_a_section_and_in_no_chart(results):
    page = html.render(results.controlled())
    start = page.index('<section id="controls"')
    section = page[start : page.index("</section>", start)]
    assert section.count("<tr><th") == 1 + 3
    assert "not seen" in section
    for other in ("effects", "latency", "generations", "probe"):
        begin = page.index(f'<section id="{other}"')
        assert "(spiked)" not in page[begin : page.index("</section>", begin)]
    assert 'id="controls"' not in html.render(results.improved())
