"""Pages held against axe-core's rules in a browser, walked by keyboard, printed, copied."""

import json
from pathlib import Path

import browser
import pytest
from load_runs import judged, recording, second
from matrices import PLAN, TOLD, results_of
from pages import Tree

from loadstone.report import html, load_page, markdown, matrix_page
from loadstone.report.exports import table
from loadstone.verdict.matrix import judge_matrix

AXE = Path(__file__).parents[3] / ".venv" / "share" / "axe.min.js"
CHECK = """
document.querySelectorAll("details").forEach(function (one) { one.open = true; });
axe.run(document, { resultTypes: ["violations"] }).then(function (found) {
  say(JSON.stringify(found.violations.map(function (one) {
    var first = one.nodes[0];
    return one.id + ": " + one.nodes.length + " × " + first.html.slice(0, 160) + " " + first.failureSummary;
  })));
});
"""
WALK = """
addEventListener("load", function () {
  var first = document.querySelector("[role=tree] [tabindex='0']");
  var told = document.querySelector("[data-told]");
  function press(key) {
    document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: key, bubbles: true }));
  }
  first.focus();
  press("ArrowDown"); press("ArrowRight"); press("ArrowDown");
  var at = document.activeElement, before = at.getAttribute("width");
  press("Enter");
  var wide = at.getAttribute("width");
  var hidden = document.querySelectorAll("[role=treeitem][display=none]").length;
  press("Escape");
  say(JSON.stringify([before, wide, hidden > 0, at.getAttribute("width"), told.textContent]));
});
"""
TAKE = """
addEventListener("load", function () {
  var taken = {};
  document.execCommand = function () { taken.markdown = document.activeElement.value; return true; };
  Object.defineProperty(navigator, "clipboard", { value: undefined });
  URL.createObjectURL = function (blob) { return URL.last = blob, "blob:none"; };
  HTMLAnchorElement.prototype.click = function () { taken[this.download] = URL.last; };
  document.querySelectorAll("[data-copy=markdown], [data-download]").forEach(function (one) { one.click(); });
  Promise.all([taken["result.json"].text(), taken["result.csv"].text()]).then(function (texts) {
    say(JSON.stringify([taken.markdown, texts[0], texts[1]]));
  });
});
"""
pytestmark = pytest.mark.skipif(browser.BROWSER is None, reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def pages(results):
    """A page of each kind."""
    return {
        "comparison": html.render(results.improved()),
        "hostile": html.render(results.hostile()),
        "load": load_page.render(judged(recording(*[second(1000)] * 4))),
        "matrix": matrix_page.render(judge_matrix(PLAN, results_of(PLAN), TOLD)),
    }


@pytest.mark.skipif(not AXE.is_file(), reason="no axe-core: bash tools/get_axe")
@pytest.mark.parametrize(
    ("name", "theme"),
    [
        ("comparison", "light"),
        ("comparison", "dark"),
        ("hostile", "light"),
        ("load", "dark"),
        ("matrix", "light"),
    ],
)
def test_axe_finds_nothing(pages, tmp_path, name, theme):
    assert (
        json.loads(browser.said(tmp_path, pages[name], AXE.read_text(), CHECK, fragment=f"#theme={theme}"))
        == []
    )


def test_the_flame_graph_is_walked_and_widened_by_keyboard(pages, tmp_path):
    before, wide, hidden, after, told = json.loads(browser.said(tmp_path, pages["comparison"], WALK))
    assert before == after != wide == "100%"
    assert hidden
    assert told.startswith("execute (django/db/backends/utils.py): 9.00 ms → 600 µs")


def test_what_is_copied_and_downloaded_is_the_report(results, pages, tmp_path):
    result = results.improved()
    copied, text, rows = json.loads(browser.said(tmp_path, pages["comparison"], TAKE))
    assert copied == markdown.render(result)
    assert json.loads(text)["run"]["id"] == result.run.id
    assert rows == table.render(result)


@pytest.mark.parametrize("name", ["comparison", "hostile", "load", "matrix"])
def test_every_link_into_the_page_has_its_place(pages, name):
    elements = [named for _, named in Tree(pages[name]).elements]
    places = [named["id"] for named in elements if "id" in named]
    links = {named["href"][1:] for named in elements if named.get("href", "").startswith("#")}
    assert links
    assert links <= set(places)
    assert len(places) == len(set(places))


def test_the_page_prints(pages, tmp_path):
    """Chromium writes a PDF of several pages; what it looks like is for people to see."""
    file = tmp_path / "report.pdf"
    browser.run(tmp_path, pages["comparison"], f"--print-to-pdf={file}", "--no-pdf-header-footer")
    assert file.read_bytes().count(b"/Type /Page\n") >= 2
