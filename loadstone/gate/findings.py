"""From results to findings: exact facts, budgets and timings, each held against what the gate demands."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from loadstone.config.exact_rules import ExactRule
from loadstone.config.gate import GateExperiment
from loadstone.errors import LoadstoneError
from loadstone.gate.budgets import judge_budget
from loadstone.record.gated import GateFinding, Kind, Status
from loadstone.record.probed import FactChange, ProbeFacts
from loadstone.record.result import CheckStatus, Contrast, Result, RunStatus
from loadstone.report import quantities, selection, wording
from loadstone.stats.verdicts import FailOn, Verdict
from loadstone.verdict import exact
from loadstone.verdict.metrics import name_of
from loadstone.verdict.overall import fails

AFTER = "after"
MOST_STATEMENTS = 3
SQL_SHOWN = 160
FIRST_ERROR = 400
"""The lowest status that is one."""
Locate = Callable[[Sequence[str]], tuple[str, int]]


def exact_findings(
    experiment: GateExperiment,
    result: Result,
    error: LoadstoneError | None = None,
    locate: Locate = lambda _: ("", 0),
) -> list[GateFinding]:
    """Return what the exact facts of a probed result say; a measurement that failed says only that.

    A request that the base answers and the head does not is a fact of its own, and fails: that the
    two cannot be compared is told beside it.

    Args:
        experiment: whose rules must hold.
        result: of the probe.
        error: what ended it, if anything did.
        locate: chooses one of the places from which statements were sent, `FILE:LINE` as the app
            has them, and returns its file from the root of the repository, and its line.
    """
    wrong = measurement_findings(experiment, result, error)
    if wrong:
        return [*_broken(experiment, result), *wrong]
    return [one for rule in experiment.exact for one in _exactly(experiment, rule, result, locate)]


def timed_findings(
    experiment: GateExperiment, result: Result, fail_on: FailOn, error: LoadstoneError | None = None
) -> list[GateFinding]:
    """Return what a timed result says of metrics and budgets; one that is invalid says only that."""
    wrong = measurement_findings(experiment, result, error)
    if wrong:
        return wrong
    found = [_timed(experiment, one, fail_on) for one in selection.gating(result)]
    seen = {name_of(one.metric, one.endpoint) for one in selection.gating(result)}
    found += [_unseen(experiment, name, result) for name in experiment.gating if name not in seen]
    return found + [judge_budget(experiment.name, budget, result) for budget in experiment.budgets]


def measurement_findings(
    experiment: GateExperiment, result: Result, error: LoadstoneError | None = None
) -> list[GateFinding]:
    """Return why a result must not be believed, with what mends it; nothing where it may be."""
    if result.run.status is not RunStatus.INVALID and result.verdict.verdict is not Verdict.INVALID:
        return []
    failed = [one for one in result.checks if one.status is CheckStatus.FAIL]
    found = [
        _finding(experiment, Kind.MEASUREMENT, one.name, Status.INVALID, one.message, remedy=one.remedy)
        for one in failed
    ]
    if error is not None:
        message = "; ".join(part for part in (error.problem, error.cause) if part)
        whole = _finding(experiment, Kind.MEASUREMENT, "run", Status.INVALID, message, remedy=error.remedy)
        return [whole, *found]
    reasons = "; ".join(result.verdict.reasons) or result.run.stop_reason
    remedy = "see the checks of its report"
    return found or [_finding(experiment, Kind.MEASUREMENT, "run", Status.INVALID, reasons, remedy=remedy)]


def not_measured(experiment: GateExperiment, why: str) -> GateFinding:
    """Return the finding of an experiment that there was no time for."""
    return _finding(
        experiment,
        Kind.MEASUREMENT,
        "time budget",
        Status.INCONCLUSIVE,
        why,
        remedy="allow more time in gate.budget, or fewer experiments",
    )


def _broken(experiment: GateExperiment, result: Result) -> Iterator[GateFinding]:
    """Yield, of each endpoint, the requests that the base answers and the head answers with an error."""
    found: dict[str, list[str]] = {}
    for one in result.probe.payload.differences if result.probe else ():
        if one.path == "status" and int(one.before) < FIRST_ERROR <= int(one.after):
            found.setdefault(one.endpoint, []).append(f"{one.request}: {one.before} → {one.after}")
    for endpoint, requests in found.items():
        yield _finding(
            experiment,
            Kind.EXACT,
            "errors",
            Status.FAILED,
            f"{endpoint} fails where the base answers: {'; '.join(requests[:MOST_STATEMENTS])}",
            remedy="mend the change; where the error is meant, take the request out of the scenario",
            endpoint=endpoint,
        )


def _exactly(
    experiment: GateExperiment, rule: ExactRule, result: Result, locate: Locate
) -> Iterator[GateFinding]:
    facts = {one.endpoint: one for one in result.probe.facts if one.variant == AFTER} if result.probe else {}
    wanted = [
        one
        for endpoint, one in facts.items()
        if rule.endpoint in {None, endpoint} and rule.fact in one.totals
    ]
    if not wanted and rule.named:
        known = ", ".join(facts) or "none"
        what = f"{rule.fact} of {rule.endpoint}" if rule.endpoint else rule.fact
        message = f"{what} could not be counted: requests were seen of {known}"
        remedy = "correct the endpoint's name, or leave the rule out where there is no such service"
        yield _finding(
            experiment,
            Kind.EXACT,
            rule.text,
            Status.INCONCLUSIVE,
            message,
            remedy=remedy,
            endpoint=rule.endpoint,
        )
    changes = {(one.endpoint, one.fact): one for one in selection.facts(result) if one.variant == AFTER}
    for one in wanted:
        yield _counted(experiment, rule, one, changes.get((one.endpoint, rule.fact)), result, locate)


def _counted(
    experiment: GateExperiment,
    rule: ExactRule,
    after: ProbeFacts,
    change: FactChange | None,
    result: Result,
    locate: Locate,
) -> GateFinding:
    total, unit = after.totals[rule.fact], exact.BY_NAME[rule.fact].unit
    level, base = total.total / total.requests, change.before if change is not None else None
    held = rule.holds(base, level) if base is not None or not rule.relative else True
    label = wording.FACT_LABELS.get(rule.fact, rule.fact)
    shown = quantities.quantity(level, unit)
    came = f"{quantities.quantity(base, unit)} → {shown}" if base is not None else shown
    allowed = f", the rule is {rule.text}" if rule.operator != "+" or rule.amount else ""
    message, remedy = f"{label} per request of {after.endpoint}: {came}{allowed}", ""
    file, line = "", 0
    if not held:
        grown = _grown(result, after)
        message += "".join(f"\n{calls}: {sql}" for calls, sql, _ in grown[:MOST_STATEMENTS])
        file, line = locate([source for _, _, source in grown if source])
        remedy = "mend the change, raise the rule's limit, or accept it with a reason"
    return _finding(
        experiment,
        Kind.EXACT,
        rule.fact,
        Status.HELD if held else Status.FAILED,
        message,
        remedy=remedy,
        endpoint=after.endpoint,
        before=base,
        after=level,
        unit=unit,
        file=file,
        line=line,
    )


def _grown(result: Result, after: ProbeFacts) -> list[tuple[str, str, str]]:
    """Return statements that are sent more often than before: calls, text, and where they come from."""
    facts = result.probe.facts if result.probe else []
    base = next((one for one in facts if one.endpoint == after.endpoint and one.variant != AFTER), None)
    calls = dict(base.statements) if base else {}
    sources = {one.sql: one.source for one in after.statement_facts}
    grown = [(now - calls.get(sql, 0.0), sql, now) for sql, now in after.statements]
    return [
        (
            f"{quantities.count(now - more)} → {quantities.count(now)} calls",
            sql if len(sql) <= SQL_SHOWN else f"{sql[:SQL_SHOWN]}…",
            sources.get(sql, ""),
        )
        for more, sql, now in sorted(grown, key=lambda one: -one[0])
        if more > 0
    ]


def _timed(experiment: GateExperiment, one: Contrast, fail_on: FailOn) -> GateFinding:
    name = name_of(one.metric, one.endpoint)
    status, remedy = Status.HELD, ""
    label = wording.metric_label(one.metric) + (f" of {one.endpoint}" if one.endpoint else "")
    if one.verdict is None or one.effect is None:
        status = Status.INCONCLUSIVE if name in experiment.gating else Status.UNMEASURED
        message = f"{label}: {wording.unavailable(one)}"
        remedy = "give it more time, or leave it out of gating"
    else:
        message = wording.sentence(one)
        message = message if not one.endpoint or one.endpoint in message else f"{one.endpoint}: {message}"
        if fails(one, fail_on):
            status, remedy = Status.FAILED, "mend the change, or accept it with a reason"
        elif one.verdict is Verdict.INCONCLUSIVE:
            status, remedy = Status.INCONCLUSIVE, wording.outlook(one)
    effect = one.effect
    return _finding(
        experiment,
        Kind.TIMING,
        one.metric,
        status,
        message,
        remedy=remedy,
        endpoint=one.endpoint,
        before=one.before,
        after=one.after,
        unit=one.unit,
        estimate=_finite(effect.estimate) if effect else None,
        low=_finite(effect.low) if effect else None,
        high=_finite(effect.high) if effect else None,
        margin=one.margin,
    )


def _unseen(experiment: GateExperiment, name: str, result: Result) -> GateFinding:
    known = selection.endpoints(result)
    return _finding(
        experiment,
        Kind.TIMING,
        name,
        Status.INCONCLUSIVE,
        f"{name} was not measured: requests were seen of {', '.join(known) or 'no endpoint'}",
        remedy="correct the endpoint's name, or give it more time",
    )


def _finding(
    experiment: GateExperiment,
    kind: Kind,
    subject: str,
    status: Status,
    message: str,
    **more: Any,  # noqa: ANN401 - fields of the record
) -> GateFinding:
    """Return a finding; `more` are fields of the record."""
    return GateFinding(
        experiment=experiment.name, kind=kind, subject=subject, status=status, message=message, **more
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
