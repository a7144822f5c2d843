"""The page in a real browser: nothing refused, nothing failed, everything drawn."""

from __future__ import annotations

import re

import browser
import pytest

from loadstone.report import html

pytestmark = pytest.mark.skipif(browser.BROWSER is None, reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def browse(tmp_path_factory):
    """Open a page and return its final document and what the console said."""

    def open_page(text: str, fragment: str = "") -> tuple[str, str]:
        done = browser.run(tmp_path_factory.mktemp("page"), text, "--dump-dom", fragment=fragment)
        return done.stdout, browser.console(done)

    return open_page


@pytest.mark.parametrize("name", ["improved", "hostile"])
def test_the_console_stays_silent_and_the_script_has_run(results, browse, name):
    document, console = browse(html.render(results.ALL[name]()), "#theme=dark")
    assert console == ""
    assert re.search(r'<html[^>]* class="js" data-theme="dark"', document)
    assert 'aria-label="Switch to light colours"' in document
    assert "<img" not in document


def test_a_script_that_is_not_ours_is_refused(results, browse):
    """The policy itself works: an injected script and style do nothing but complain."""
    injected = '<script>document.title = "owned"</script><p style="color: red">x</p></body>'
    document, console = browse(html.render(results.improved()).replace("</body>", injected))
    assert "<title>owned" not in document
    assert console.count("Content Security Policy") == 2


def test_the_library_compares_two_runs_in_the_browser_and_refuses_what_is_unlike(results, browse, tmp_path):
    """The third run is of another size; boxes are ticked by a script that the policy is told of."""
    from msgspec.structs import replace

    from loadstone.record.folder import save_result
    from loadstone.report.frame import digest
    from loadstone.report.library import build_site, find_results

    for number, size in enumerate(("small", "small", "large"), start=1):
        result = results.improved()
        run = replace(result.run, id=f"run-{number}", started_at=f"2026-03-0{number}T10:00:00Z")
        (tmp_path / f"run-{number}").mkdir()
        experiment = replace(result.experiment, size=size)
        save_result(tmp_path / f"run-{number}", replace(result, run=run, experiment=experiment))
    build_site(find_results(tmp_path), tmp_path / "site")
    page = (tmp_path / "site" / "index.html").read_text()
    for picks, says in (((1, 2), "overlap"), ((0, 1), "size: small against large")):
        ticking = "addEventListener('load', function () {" + "".join(
            f"document.querySelectorAll('.pick input')[{pick}].click();" for pick in picks
        )
        ticking += "});"
        told = page.replace("script-src ", f"script-src '{digest(ticking)}' ", 1)
        told = told.replace("</body>", f"<script>{ticking}</script></body>")
        document, console = browse(told)
        assert console == ""
        assert says in document
