"""A load run as a page: complete, harmless, and no kinder than the run."""

import re

import msgspec
import pytest
from load_runs import BLOCK, PLAN, judged, recording, second
from msgspec.structs import replace
from pages import Tree

from loadstone.record.load_result import LoadResult
from loadstone.report import load_page
from loadstone.report.charts import seconds
from loadstone.report.load_files import write_load_reports

HOSTILE = 'orm=</script><img src=x onerror="alert(1)">\u202e'


@pytest.fixture(scope="module")
def kept():
    return judged(recording(*[second(1000)] * 4))


@pytest.fixture(scope="module")
def broken():
    """Saturated: a tenth timed out, some answers came in the drain, one second brought nothing."""
    brought = [second(90, TIMEOUT=10), {}, second(90, 300), second(90, 900), second(40, 1900)]
    plan = replace(PLAN, thresholds=["p50<200ms", "errors<1%", "p50<200ms over 2s", "GET /no: p50<1s"])
    return judged(recording(*brought), plan, replace(BLOCK, not_sent=3, unfinished=10))


@pytest.fixture(scope="module")
def hostile():
    plan = replace(PLAN, title=HOSTILE, variant=HOSTILE, command=HOSTILE, scenario=HOSTILE)
    return judged(recording(*[second(500)] * 4), plan)


@pytest.fixture(scope="module")
def closed():
    return judged(recording(*[second(500)] * 4), replace(PLAN, model="closed", rate="", thresholds=[]))


def test_the_page_is_whole_and_asks_the_network_for_nothing(kept, broken, hostile, closed):
    for found in (kept, broken, hostile, closed):
        tree = Tree(load_page.render(found))
        assert tree.open == []
        for tag, attributes in tree.elements:
            assert "style" not in attributes, tag
            for name in ("src", "href"):
                assert (attributes.get(name) or "#").startswith(("#", "data:image/svg+xml,"))


def test_references_within_the_page_lead_somewhere(broken):
    tree = Tree(load_page.render(broken))
    ids = [attributes["id"] for _, attributes in tree.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    hrefs = [attributes.get("href") or "" for _, attributes in tree.elements]
    assert {href[1:] for href in hrefs if href.startswith("#")} <= set(ids)


def test_hostile_names_make_no_element(hostile):
    tree = Tree(load_page.render(hostile))
    assert not [tag for tag, _ in tree.elements if tag == "img"]
    assert "\u202e" not in "".join(tree.content)


def test_it_opens_with_what_became_of_the_thresholds(kept, broken, closed):
    assert "Kept it at 100 All 3 thresholds were kept. Open model" in Tree(load_page.render(kept)).text
    text = Tree(load_page.render(broken)).text
    assert "Broken it at 100 3 of 4 thresholds broke: p50<200ms, errors<1%, p50<200ms over 2s" in text
    assert "could not be told: GET /no: p50<1s" in text
    assert "closed model" in Tree(load_page.render(closed)).text.lower()


def test_the_embedded_json_is_the_result(broken):
    (data,) = [text for text in Tree(load_page.render(broken)).code if text.startswith('{"schema_version"')]
    assert msgspec.json.decode(data, type=LoadResult) == broken


def test_the_three_times_are_drawn_where_starts_were_planned(kept, closed):
    for found, times in ((kept, ("service time", "response time", "lag")), (closed, ("response time",))):
        latency = load_page.render(found).split('<section id="latency"')[1].split("</section>")[0]
        rows = re.findall(r'<tr><th scope="row">([^<,]+)', latency)
        assert tuple(rows) == times


def test_a_curve_ends_where_requests_were_given_up(kept, broken):
    ends = {one.time: one.quantiles[-1][0] for one in kept.curves if one.endpoint is None}
    assert ends == pytest.approx(dict.fromkeys(("response", "service", "lag"), 0.995), abs=0.001)
    (response,) = [one for one in broken.curves if one.endpoint is None and one.time == "response"]
    assert response.count == 320
    assert response.quantiles[-1][0] < 0.94
    assert [us for _, us in response.quantiles] == sorted(us for _, us in response.quantiles)


def test_a_second_that_brought_nothing_is_no_gap(broken):
    assert [(one.start_s, one.requests) for one in broken.seconds] == [
        (0, 100),
        (1, 0),
        (2, 90),
        (3, 90),
        (4, 40),
    ]
    (achieved,) = seconds.steps(broken.seconds, lambda one: one.requests / one.width_s)
    assert achieved[2:4] == [(1, 0), (2, 0)]
    parted = seconds.steps(broken.seconds, lambda one: one.p50_us)
    assert [len(run) for run in parted] == [2, 6]


def test_the_end_of_the_plan_and_what_broke_are_marked(broken, kept):
    text = Tree(load_page.render(broken)).text
    assert "3.00 s, p50<200ms over 2s broke; 4.00 s, the plan ended; answers that came later follow" in text
    assert "Dashed lines" not in Tree(load_page.render(kept)).text


def test_failures_are_told_by_endpoint(broken):
    outcomes = load_page.render(broken).split('<section id="outcomes"')[1].split("</section>")[0]
    assert "✗ timeout</td><td>10</td><td>3.12%" in outcomes


def test_the_files_are_page_and_markdown(kept, tmp_path):
    page, markdown = write_load_reports(tmp_path, kept)
    assert page.read_text().startswith("<!doctype html>")
    assert markdown.read_text().startswith("# KEPT")


def test_a_run_that_must_not_be_believed_says_so_first():
    late = judged(recording(*[second(500)] * 4), lag_us=50_000)
    assert (
        "Invalid it at 100 This measurement must not be believed (lag)." in Tree(load_page.render(late)).text
    )


def test_a_quantile_among_requests_that_were_given_up_is_not_called_too_rare():
    half = judged(recording(*[second(100, TIMEOUT=100)] * 4))
    latency = load_page.render(half).split('<section id="latency"')[1].split("</section>")[0]
    assert "given up" in latency
