"""A result as JUnit XML: a suite a run, so that CI systems show what failed and why.

A metric that regressed is a failure. What cannot be told, an inconclusive metric
above all, is skipped with its reason: it never looks like a pass. A measurement
that must not be believed is an error.
"""

from __future__ import annotations

from collections.abc import Iterator

from loadstone.record.probed import FactChange
from loadstone.record.result import Check, CheckStatus, Contrast, Result
from loadstone.report import controls, quantities, selection, wording
from loadstone.report.exports.suites import Case, write
from loadstone.stats.verdicts import Verdict

OUTCOMES = {
    Verdict.REGRESSED: "failure",
    Verdict.INCONCLUSIVE: "skipped",
    Verdict.INVALID: "error",
}
"""What a case of a verdict is; the others pass."""


def render(result: Result) -> str:
    """Return the XML, every name of others made harmless."""
    return write(
        result.experiment.title,
        _cases(result),
        _properties(result),
        seconds=result.run.duration_s,
        at=result.run.started_at,
    )


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


def _cases(result: Result) -> Iterator[Case]:
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
        yield Case(
            "controls", name, "failure" if failed else "", "control", line.says if failed else "", told
        )
    for check in result.checks:
        yield check_case(check)


def _verdict(result: Result) -> Case:
    verdict = result.verdict
    told = "\n".join([verdict.headline, *verdict.reasons])
    outcome = _outcome(verdict.verdict)
    return Case("verdict", result.experiment.title, outcome, str(verdict.verdict), verdict.headline, told)


def _contrast(result: Result, one: Contrast) -> Case:
    variant = selection.label_of(result, one.variant)
    name = f"{wording.metric_label(one.metric)} of {one.endpoint or 'all endpoints'}, {variant}"
    told = wording.sentence(one)
    if one.verdict is None:
        return Case("gate", name, "skipped", "unavailable", wording.unavailable(one), told)
    message = "; ".join(part for part in (told, wording.outlook(one)) if part)
    told = f"{told}\nmargin {wording.margin(one)}, {one.generations} generations"
    return Case("gate", name, _outcome(one.verdict), str(one.verdict), message, told)


def _fact(result: Result, one: FactChange) -> Case:
    label = wording.FACT_LABELS.get(one.fact, one.fact)
    variant = selection.label_of(result, one.variant)
    told = f"{label} {wording.exact_change(one)} per request, in {quantities.count(one.requests)} requests"
    outcome = _outcome(one.verdict) if one.gating else ""
    return Case(
        "counted exactly", f"{label} of {one.endpoint}, {variant}", outcome, str(one.verdict), told, told
    )


def check_case(one: Check) -> Case:
    """Return the case of a check of the measurement."""
    outcome = "error" if one.status is CheckStatus.FAIL else ""
    told = f"{wording.CHECKS[one.status].meaning}: {one.message}"
    remedy = f"\nremedy: {one.remedy}" if one.remedy else ""
    return Case("checks", one.name, outcome, "check", one.message, told + remedy)


def _outcome(verdict: Verdict) -> str:
    return OUTCOMES.get(verdict, "")
