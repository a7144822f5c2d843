"""The page of licences names what is pinned, and says of each package what that declares."""

import re
import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOOL = runpy.run_path(str(ROOT / "tools" / "write_licences.py"))
ROWS = re.findall(
    r"^\| ([\w.-]+) \| (\S+) \| (.+) \|$", (ROOT / "docs" / "licences.md").read_text(), re.MULTILINE
)[1:]


def test_every_pinned_package_is_named_with_its_version():
    assert {name: version for name, version, _ in ROWS} == TOOL["pinned"]()
    assert len(ROWS) > 100


def test_licences_are_those_that_the_packages_declare():
    here = {name: TOOL["licence"](name) for name, *_ in ROWS}
    known = {name: told for name, _, told in ROWS if TOOL["ELSEWHERE"] not in {told, here[name]}}
    assert len(known) > 100
    assert known == {name: here[name] for name in known}
    assert "not declared" not in known.values()


def test_no_licence_is_one_that_would_bind_the_whole():
    """The strictest are of libraries (LGPL) or files (MPL)."""
    for name, _, told in ROWS:
        rest = told.replace("LGPL", "").replace("Lesser General Public License", "")
        assert not re.search("GPL|General Public License", rest), name
