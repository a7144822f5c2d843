"""The live page of a run: who is answered, what it shows, how it ends."""

import html
import socket
from threading import Thread

import load_runs
import pytest
from live_pages import Seen, get, see
from msgspec.structs import replace
from runs import make_plan

from loadstone.cli.live import LiveWish, watched
from loadstone.cli.progress import describe_plan
from loadstone.errors import ConfigurationError
from loadstone.record.going import LoadNews, SearchGoing, SearchWindow
from loadstone.record.probed import PayloadCheck, Probe
from loadstone.report.live_page import body, said
from loadstone.telemetry import live
from loadstone.telemetry.live import ComparisonView, OfferView, live_page, spare_cores
from loadstone.verdict.load_so_far import LoadSoFar
from loadstone.workload.load_protocol import Second

PLAN = make_plan()
PROBE = Probe(facts=[], payload=PayloadCheck(checked=3, equal=3, rules=[], differences=[]))


@pytest.fixture(scope="module")
def shown(results, tmp_path_factory):
    """A run told to a page as lanes tell it, with one browser before it and one beside it."""
    report = tmp_path_factory.mktemp("run") / "report.html"
    report.write_text("the finished report")
    result = results.improved()
    gating = [one for one in result.contrasts if one.gating]
    seen = Seen()
    with live_page(0) as page:
        view = ComparisonView(page, describe_plan)
        before = get(page.address)
        policy, opened = before.headers["X-Frame-Options"], before.read().decode()
        refused = get(page.address, host="evil.example:80").status
        missing = get(page.address, "/../etc/passwd").status
        browser = Thread(target=see, args=(page.address, seen), daemon=True)
        browser.start()
        view.planned(PLAN)
        view.probed(PROBE)
        view.step("probing, 3 s")
        view.measuring(0, 0.0, 0)
        view.looked(8, gating)
        while not seen.events:
            browser.join(0.05)
        page.over(str(report))
    browser.join(timeout=60)
    return seen, opened, policy, refused, missing


@pytest.fixture(scope="module")
def shown_load(tmp_path_factory):
    """A load run told second by second, the third of them empty, with one browser beside it."""
    report = tmp_path_factory.mktemp("load") / "report.html"
    report.write_text("the finished report")
    whole = load_runs.recording(load_runs.second(), load_runs.second(90, SERVER_ERROR=10))
    whole.add_second(3, load_runs.second(response_ms=500))
    seen = Seen()
    with live_page(0) as page:
        view = OfferView(page)
        browser = Thread(target=see, args=(page.address, seen), daemon=True)
        browser.start()
        view.step("offering it at 100")
        view.planned(load_runs.PLAN)
        for elapsed in (1, 2, 4):
            told = Second(elapsed_s=elapsed, users=5, backlog=elapsed, cpu_s=0.1)
            view.second(told, whole.between(0, elapsed), 100.0)
        while not any("4 arrivals wait" in told.get("body", "") for _, told in seen.events):
            browser.join(0.05)
        page.over(str(report))
    browser.join(timeout=60)
    return seen


@pytest.fixture(scope="session")
def results():
    """The maker of results."""
    import results

    return results


def test_other_names_for_this_machine_are_refused(shown):
    """A page of somebody else, whose name was bound to 127.0.0.1, reads nothing."""
    assert shown[3] == 421
    assert shown[4] == 404
    assert shown[2] == "DENY"


def test_the_page_may_ask_only_where_it_came_from(shown):
    opened = html.unescape(shown[1])
    assert "default-src 'none'" in opened
    assert "connect-src 'self'" in opened
    assert "unsafe-inline" not in opened


def test_a_look_is_shown_and_the_report_takes_the_page_s_place(shown):
    seen = shown[0]
    shown_last = [told for name, told in seen.events if name == "shown"][-1]
    assert "Look by look" in shown_last["body"]
    assert "of at most" in shown_last["body"]
    assert PLAN.title in shown_last["title"]
    assert seen.events[-1] == ("over", {})
    assert seen.last == "the finished report"


def test_a_taken_port_and_a_port_without_a_page_are_errors():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match="cannot show the run"), live_page(port):
            pass
    with pytest.raises(ConfigurationError, match="no page"), watched(LiveWish(port=8089), quiet=True):
        pass


@pytest.mark.parametrize(
    ("cores", "tracks", "spare"),
    [([0], 1, []), ([0, 1], 1, [1]), ([0, 1], 2, []), ([0, 1, 2, 3], 1, [2, 3]), ([0, 1, 2], 2, [2])],
)
def test_it_leaves_the_cores_of_variants_and_those_of_generators_where_others_are_left(
    monkeypatch, cores, tracks, spare
):
    monkeypatch.setattr(live, "usable_cores", lambda: cores)
    assert spare_cores(replace(PLAN, pinned=True, tracks=tracks)) == spare
    assert spare_cores(replace(PLAN, pinned=False, tracks=tracks)) == []


def test_a_load_run_is_shown_as_far_as_it_has_got(shown_load):
    """Thresholds, endpoints and the course are those of the seconds that are over."""
    told = [told for name, told in shown_load.events if name == "shown"][-1]
    assert told["title"] == f"Running: {load_runs.PLAN.title}"
    assert "Offering it at 100" in told["body"]
    assert "10 of 300" in told["body"]
    assert "Thresholds, so far" in told["body"]
    assert "Requests per second over time" in told["body"]
    assert told["say"] == "Broken: errors<1%; rate>=99%"
    assert shown_load.last == "the finished report"


def test_what_a_load_page_adds_up_is_what_the_whole_run_is_judged_by():
    """Told in pieces or at once, with a second in which nothing ended and one at the end."""
    whole = load_runs.recording(load_runs.second(), load_runs.second(90, TIMEOUT=10))
    whole.add_second(3, load_runs.second(response_ms=500))
    so_far, begun = LoadSoFar(), 0
    so_far.take(LoadNews(plan=load_runs.PLAN))
    for elapsed in (1, 2, 4, 5):
        news = LoadNews(elapsed_s=elapsed, requests=whole.between(begun, elapsed).pack())
        going, begun = so_far.take(news), elapsed
    result = load_runs.judged(whole)
    assert (going.overall.requests, going.overall.errors) == (300, 10)
    assert going.overall.response == result.overall.response
    assert going.seconds[:-1] == result.seconds
    assert [one.start_s for one in going.seconds] == [0, 1, 2, 3, 4]
    assert going.seconds[-1].requests == 0
    assert [one.status for one in going.thresholds] == [one.status for one in result.thresholds]


def test_a_search_for_capacity_is_shown_window_by_window_and_its_names_are_harmless():
    told = SearchGoing(
        title="capacity of <b>x</b>", objective="p99<1s", step="<i> at 20 requests/s", share=0.25
    )
    assert "Nothing is measured yet" in body(told)
    told.windows = [
        SearchWindow(label="<script>", rate_rps=rate, trial="kept", note=f"p99 {rate} ms")
        for rate in range(99)
    ]
    told.found = [("<script>", "64.2 (60.1 to 68.5)")]
    text = body(told)
    assert "<script>" not in text
    assert "<b>x" not in text
    assert "<i> at" not in text
    assert "p99&lt;1s" in text
    assert text.index("p99 98 ms") < text.index("p99 39 ms")
    assert "p99 38 ms" not in text
    assert "39 earlier ones are not shown" in text
    assert ">25%<" in text
    assert said(told) == ""
    told.just_found = True
    assert said(told) == "<script>: 64.2 (60.1 to 68.5)", "the page sets it as text"
