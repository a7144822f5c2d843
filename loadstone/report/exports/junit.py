"""A result as JUnit XML: a suite a run, so that CI systems show what failed and why.

A metric that regressed is a failure. What cannot be told, an inconclusive metric
above all, is skipped with its reason: it never looks like a pass. A measurement
that must not be believed is an error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from loadstone.record.probed import FactChange
from loadstone.record.result import Check, CheckStatus, Contrast, Result
from loadstone.report import controls, quantities, safe, selection, wording
from loadstone.stats.verdicts import Verdict

TEXT_LENGTH = 1_000


@dataclass(frozen=True, slots=True)
class _Case:
    """One case: `outcome` is empty where it passed, else failure, error or skipped."""

    group: str
    name: str
    outcome: str = ""
    kind: str = ""
    message: str = ""
    told: str = ""


def render(result: Result) -> str:
    """Return the XML, every name of others made harmless."""
    cases = _told_apart(_cases(result))
    suite = Element("testsuite", _attributes(result, cases))
    properties = SubElement(suite, "properties")
    for name, value in _properties(result).items():
        SubElement(properties, "property", name=name, value=_text(value))
    for case in cases:
        _add(suite, case)
    root = Element("testsuites", name="loadstone")
    root.append(suite)
    indent(root)
    return tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _attributes(result: Result, cases: list[_Case]) -> dict[str, str]:
    def number(outcome: str) -> str:
        return str(sum(case.outcome == outcome for case in cases))

    return {
        "name": _text(result.experiment.title),
        "tests": str(len(cases)),
        "failures": number("failure"),
        "errors": number("error"),
        "skipped": number("skipped"),
        "time": f"{result.run.duration_s:.3f}",
        "timestamp": result.run.started_at,
    }


def _properties(result: Result) -> dict[str, str]:
    run = result.run
    return {
        "run": run.id,
        "verdict": str(result.verdict.verdict),
        "headline": result.verdict.headline,
        "command": run.command,
        "machine": f"{result.machine.cpu_model}, {result.machine.cores} cores ({result.machine.fingerprint})",
        "loadstone": run.loadstone_version,
    }


def _cases(result: Result) -> Iterator[_Case]:
    yield _verdict(result)
    for contrast in selection.gating(result):
        yield _contrast(result, contrast)
    for fact in selection.facts(result):
        if fact.gating or fact.verdict is not Verdict.EQUIVALENT:
            yield _fact(result, fact)
    for line in controls.lines(result):
        told = f"put in {line.put_in}, found {line.found} ({line.interval}): {line.says}"
        failed = line.sign is wording.CHECKS[CheckStatus.FAIL]
        name = f"{line.variant}: {line.metric}"
        yield _Case(
            "controls", name, "failure" if failed else "", "control", line.says if failed else "", told
        )
    for check in result.checks:
        yield _check(check)


def _told_apart(cases: Iterator[_Case]) -> list[_Case]:
    """Number cases of one name: readers keep only one of them."""
    seen: Counter[tuple[str, str]] = Counter()
    found = []
    for case in cases:
        seen[case.group, case.name] += 1
        count = seen[case.group, case.name]
        found.append(replace(case, name=f"{case.name} ({count})") if count > 1 else case)
    return found


def _verdict(result: Result) -> _Case:
    verdict = result.verdict
    told = "\n".join([verdict.headline, *verdict.reasons])
    outcome = _outcome(verdict.verdict)
    return _Case("verdict", result.experiment.title, outcome, str(verdict.verdict), verdict.headline, told)


def _contrast(result: Result, one: Contrast) -> _Case:
    variant = selection.label_of(result, one.variant)
    name = f"{wording.metric_label(one.metric)} of {one.endpoint or 'all endpoints'}, {variant}"
    told = wording.sentence(one)
    if one.verdict is None:
        return _Case("gate", name, "skipped", "unavailable", wording.unavailable(one), told)
    message = "; ".join(part for part in (told, wording.outlook(one)) if part)
    told = f"{told}\nmargin {wording.margin(one)}, {one.generations} generations"
    return _Case("gate", name, _outcome(one.verdict), str(one.verdict), message, told)


def _fact(result: Result, one: FactChange) -> _Case:
    label = wording.FACT_LABELS.get(one.fact, one.fact)
    variant = selection.label_of(result, one.variant)
    told = f"{label} {wording.exact_change(one)} per request, in {quantities.count(one.requests)} requests"
    outcome = _outcome(one.verdict) if one.gating else ""
    return _Case(
        "counted exactly", f"{label} of {one.endpoint}, {variant}", outcome, str(one.verdict), told, told
    )


def _check(one: Check) -> _Case:
    outcome = "error" if one.status is CheckStatus.FAIL else ""
    told = f"{wording.CHECKS[one.status].meaning}: {one.message}"
    remedy = f"\nremedy: {one.remedy}" if one.remedy else ""
    return _Case("checks", one.name, outcome, "check", one.message, told + remedy)


def _outcome(verdict: Verdict) -> str:
    return {
        Verdict.REGRESSED: "failure",
        Verdict.INCONCLUSIVE: "skipped",
        Verdict.INVALID: "error",
    }.get(verdict, "")


def _add(suite: Element, case: _Case) -> None:
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
