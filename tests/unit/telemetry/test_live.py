"""The live page of a run: who is answered, what it shows, how it ends."""

import html
import socket
from threading import Thread

import pytest
from live_pages import Seen, get, see
from msgspec.structs import replace
from runs import make_plan

from loadstone.cli.live import LiveWish, watched
from loadstone.cli.progress import describe_plan
from loadstone.errors import ConfigurationError
from loadstone.record.probed import PayloadCheck, Probe
from loadstone.telemetry import live
from loadstone.telemetry.live import live_page, spare_cores

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
    with live_page(0, describe_plan) as page:
        before = get(page.address)
        policy, opened = before.headers["X-Frame-Options"], before.read().decode()
        refused = get(page.address, host="evil.example:80").status
        missing = get(page.address, "/../etc/passwd").status
        browser = Thread(target=see, args=(page.address, seen), daemon=True)
        browser.start()
        page.planned(PLAN)
        page.probed(PROBE)
        page.step("probing, 3 s")
        page.measuring(0, 0.0, 0)
        page.looked(8, gating)
        while not seen.events:
            browser.join(0.05)
        page.over(str(report))
    browser.join(timeout=60)
    return seen, opened, policy, refused, missing


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
        with pytest.raises(ConfigurationError, match="cannot show the run"), live_page(port, describe_plan):
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
