"""A search for capacity as people read it: page, Markdown and terminal."""

import io
import json
import re

import msgspec
import pytest
from capacity_simulation import MACHINE, experiment, search
from pages import Tree
from rich.console import Console

from loadstone.record.capacity_result import CapacityResult
from loadstone.report import capacity_page, capacity_reports
from loadstone.report import capacity_summary as summary
from loadstone.verdict.capacity import judge_capacity
from loadstone.verdict.capacity_searches import read_sealed_capacity

HOSTILE = 'orm=</script><img src=x onerror="alert(1)">\x1b[31m'


def result(folder, labels, **changes):
    how = {"capacity": lambda label, n: (60.0 if label == labels[0] else 200.0) * max(n, 1) ** 0.9}
    search(folder, experiment(folder, labels, repeats=2, **changes), **how)
    return judge_capacity(read_sealed_capacity(folder), ("id", "now"), MACHINE)


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    return result(tmp_path_factory.mktemp("run"), ["orm=naive", "orm=prefetch"])


@pytest.fixture(scope="module")
def scaled(tmp_path_factory):
    return result(tmp_path_factory.mktemp("run"), ["orm=naive"], processes=(1, 2, 4), for_rps=150.0)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    return result(tmp_path_factory.mktemp("run"), [HOSTILE, "b"])


def printed(found):
    stream = io.StringIO()
    capacity_reports.render(found, Console(file=stream, width=120, color_system=None))
    return stream.getvalue()


def test_the_page_is_whole_and_asks_the_network_for_nothing(compared, scaled, hostile):
    for found in (compared, scaled, hostile):
        tree = Tree(capacity_page.render(found))
        assert tree.open == []
        for tag, attributes in tree.elements:
            assert "style" not in attributes, tag
            for name in ("src", "href"):
                assert (attributes.get(name) or "#").startswith(("#", "data:image/svg+xml,"))


def test_references_within_the_page_lead_somewhere(compared):
    tree = Tree(capacity_page.render(compared))
    ids = [attributes["id"] for _, attributes in tree.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    hrefs = [attributes.get("href") or "" for _, attributes in tree.elements]
    assert {href[1:] for href in hrefs if href.startswith("#")} <= set(ids)


def test_hostile_names_make_no_element(hostile):
    tree = Tree(capacity_page.render(hostile))
    assert not [tag for tag, _ in tree.elements if tag == "img"]
    assert "\x1b" not in printed(hostile)
    assert "<img" not in capacity_reports.markdown(hostile)


def test_the_headline_comes_first_everywhere(compared):
    assert compared.headline.startswith("orm=prefetch raises capacity from")
    tree = Tree(capacity_page.render(compared))
    assert compared.headline in tree.text
    assert capacity_reports.markdown(compared).startswith(
        f"# FOUND  {compared.headline.replace('<', '&lt;')}"
    )
    assert " ".join(printed(compared).split()).startswith(f"FOUND {compared.headline}")


def test_the_picture_has_a_mark_for_every_window(compared):
    marks = [
        a for _, a in Tree(capacity_page.render(compared)).elements if "window" in (a.get("class") or "")
    ]
    in_legend = 2
    assert len(marks) == len(compared.windows) + in_legend
    kinds = {re.search("kept|broken|invalid", one["class"])[0] for one in marks}
    assert kinds == {one.trial for one in compared.windows}


def test_the_picture_shows_where_the_knee_is(compared):
    elements = Tree(capacity_page.render(compared)).elements
    knees = [attributes for _, attributes in elements if "knee" in (attributes.get("class") or "")]
    assert len(knees) == sum(one.knee_rps is not None for one in compared.estimates) > 0


def test_the_embedded_json_is_the_result(compared):
    tree = Tree(capacity_page.render(compared))
    data = [text for text in tree.code if text.startswith('{"schema_version"')]
    assert msgspec.json.decode(data[0], type=CapacityResult) == compared


def test_the_terminal_draws_rates_with_the_limit(compared):
    lines = printed(compared).splitlines()
    start = lines.index("orm=naive: p99 by rate (│ is the limit)")
    rows = [line for line in lines[start + 1 : start + 30] if "│" in line and "/s" in line]
    assert rows
    told = {"kept": "broken", "broken": "kept"}
    for word, other in told.items():
        alone = [line for line in rows if word in line and other not in line]
        assert alone
        assert all(("█│█" in line) == (word == "broken") for line in alone)
    rates = [float(line.split("/s")[0].replace(",", "")) for line in rows[: len(rows) // 2]]
    assert rates == sorted(rates)


def test_the_law_is_told_with_what_it_cannot_tell(scaled):
    told = "\n".join(summary.law_lines(scaled.scalability[0]))
    assert "Universal Scalability Law" in told
    assert re.search(r"150/s needs 3 processes \(95% interval \d to \d\)", told)
    tree = Tree(capacity_page.render(scaled))
    assert "Processes" in tree.text
    assert [a for _, a in tree.elements if (a.get("class") or "") == "chart law"]


def test_a_result_read_back_renders_the_same(compared):
    again = msgspec.json.decode(msgspec.json.encode(compared), type=CapacityResult)
    assert capacity_page.render(again) == capacity_page.render(compared)


def test_a_run_that_measured_nothing_still_has_a_page(tmp_path):
    search(tmp_path, experiment(tmp_path, ["only"], budget_s=0.5), capacity=lambda *_: 50.0)
    found = judge_capacity(read_sealed_capacity(tmp_path), ("id", "now"), MACHINE)
    assert "could not be told" in Tree(capacity_page.render(found)).text
    assert summary.word(found) == "UNKNOWN"
    assert json.loads(msgspec.json.encode(found))["windows"] == []
