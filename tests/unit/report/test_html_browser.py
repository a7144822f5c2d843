"""The page in a real browser: nothing refused, nothing failed, everything drawn."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from loadstone.report import html

BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))),
    None,
)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--enable-logging=stderr",
    "--dump-dom",
)

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def browse(tmp_path_factory):
    """Open a page and return its final document and what the console said."""

    def open_page(text: str, fragment: str = "") -> tuple[str, str]:
        folder = tmp_path_factory.mktemp("page")
        file = folder / "report.html"
        file.write_text(text, encoding="utf-8")
        command = [BROWSER, *FLAGS, f"--user-data-dir={folder / 'profile'}", f"{file.as_uri()}{fragment}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        console = "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)
        return done.stdout, console

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
