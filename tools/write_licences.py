"""Write docs/licences.md, the licences of what a production install holds: `python tools/write_licences.py`.

Names and versions are those of requirements/run.txt, licences what the installed packages declare.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "licences.md"
HEAD = """\
# Licences

What a production install of Loadstone and its reference app holds (`requirements/run.txt`), and under which
licence, as each package declares it; written by `python tools/write_licences.py`. `tools/sbom FILE` writes
the same pins as a CycloneDX bill of materials, which each release carries. Packages of another Python or
another system are named without a licence where they are not installed. Loadstone itself is under the Apache
License 2.0.
"""
LONGEST = 90
"""Characters of a licence's name; some packages put the whole text into the field."""
COPYLEFT = re.compile(r"GPL|MPL|Lesser|Mozilla")
ELSEWHERE = "not installed here"


def pinned() -> dict[str, str]:
    """Return the version of every package of a production install, by its name."""
    text = (ROOT / "requirements" / "run.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==([^\s;\\]+)", text, re.MULTILINE))


def licence(name: str) -> str:
    """Return what an installed package declares: an expression, a classifier or a short text."""
    try:
        told = metadata(name)
    except PackageNotFoundError:
        return ELSEWHERE
    return (
        _field(told, "License-Expression") or _classified(told) or _field(told, "License") or "not declared"
    )


def page() -> str:
    """Return the whole page."""
    found = {name: licence(name) for name in pinned()}
    lines = [HEAD, "| package | version | licence |", "|---|---|---|"]
    lines += [f"| {name} | {version} | {found[name]} |" for name, version in pinned().items()]
    strict = [name for name, told in found.items() if COPYLEFT.search(told)]
    lines += [
        "",
        f"With a copyleft, of libraries or files alone: {', '.join(strict)}. None is changed here.",
        "",
    ]
    return "\n".join(lines)


def _field(told: PackageMetadata, name: str) -> str:
    text = " ".join(" ".join(told.get_all(name) or []).split())
    return text if len(text) <= LONGEST else ""


def _classified(told: PackageMetadata) -> str:
    classifiers = told.get_all("Classifier") or []
    names = [one.rpartition(" :: ")[2] for one in classifiers if one.startswith("License :: ")]
    return ", ".join(name for name in names if name != "OSI Approved")


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    sys.stderr.write(f"{PAGE.relative_to(ROOT)} is written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
