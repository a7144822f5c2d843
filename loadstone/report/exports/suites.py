"""JUnit XML: cases in a suite, every text of others made harmless."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from loadstone.report import safe

TEXT_LENGTH = 1_000


@dataclass(frozen=True, slots=True)
class Case:
    """One case: `outcome` is empty where it passed, else failure, error or skipped."""

    group: str
    name: str
    outcome: str = ""
    kind: str = ""
    message: str = ""
    told: str = ""


def write(
    title: str, cases: Iterable[Case], properties: Mapping[str, str], *, seconds: float, at: str
) -> str:
    """Return one suite as XML."""
    told = _told_apart(cases)
    suite = Element("testsuite", _attributes(title, told, seconds, at))
    below = SubElement(suite, "properties")
    for name, value in properties.items():
        SubElement(below, "property", name=name, value=_text(value))
    for case in told:
        _add(suite, case)
    root = Element("testsuites", name="loadstone")
    root.append(suite)
    indent(root)
    return tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _attributes(title: str, cases: list[Case], seconds: float, at: str) -> dict[str, str]:
    def number(outcome: str) -> str:
        return str(sum(case.outcome == outcome for case in cases))

    return {
        "name": _text(title),
        "tests": str(len(cases)),
        "failures": number("failure"),
        "errors": number("error"),
        "skipped": number("skipped"),
        "time": f"{seconds:.3f}",
        "timestamp": at,
    }


def _told_apart(cases: Iterable[Case]) -> list[Case]:
    """Number cases of one name: readers keep only one of them."""
    seen: Counter[tuple[str, str]] = Counter()
    found = []
    for case in cases:
        seen[case.group, case.name] += 1
        count = seen[case.group, case.name]
        found.append(replace(case, name=f"{case.name} ({count})") if count > 1 else case)
    return found


def _add(suite: Element, case: Case) -> None:
    element = SubElement(
        suite, "testcase", classname=f"loadstone.{case.group}", name=_text(case.name), time="0"
    )
    if case.outcome:
        part = SubElement(element, case.outcome, message=_text(case.message))
        if case.outcome != "skipped":
            part.set("type", case.kind)
        part.text = _text(case.told, lines=True)
    elif case.told:
        SubElement(element, "system-out").text = _text(case.told, lines=True)


def _text(value: str, *, lines: bool = False) -> str:
    return safe.block(value, TEXT_LENGTH) if lines else safe.name(value, TEXT_LENGTH)
