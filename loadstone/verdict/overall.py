"""One verdict, one headline and one exit code for the whole run."""

from __future__ import annotations

import math

from loadstone.errors import ExitCode
from loadstone.record.plan import Plan
from loadstone.record.probed import FactChange
from loadstone.record.result import Check, CheckStatus, Contrast, Overall, RunStatus
from loadstone.stats.verdicts import Direction, FailOn, Verdict, combine, exceeds_margin, log_margin
from loadstone.verdict.exact import tell_changes
from loadstone.verdict.headline import headline
from loadstone.verdict.judging import is_open


def judge_timing(
    contrasts: list[Contrast],
    changes: list[FactChange],
    checks: list[Check],
    status: RunStatus,
    plan: Plan,
    fault: list[str],
) -> Overall:
    """Return what the gating contrasts decide; exact facts are told beside it.

    Args:
        contrasts: all of the run's.
        changes: exact facts, compared.
        checks: all of the run's.
        status: how the run ended.
        plan: what was planned.
        fault: what ended an invalid run, and what is known of its cause.
    """
    gating = [contrast for contrast in contrasts if contrast.gating]
    verdicts = [contrast.verdict for contrast in gating if contrast.verdict is not None]
    verdicts += [Verdict.INCONCLUSIVE for one in gating if one.verdict is None and is_open(one)]
    fresh = any(check.name == "new failures" and check.status is not CheckStatus.OK for check in checks)
    verdict = Verdict.INVALID if status is RunStatus.INVALID else combine(verdicts, new_failures=fresh)
    reasons = fault + _failed(checks)
    if fresh and verdict is Verdict.INCONCLUSIVE:
        reasons.append("a new failure class in after is never an improvement")
    if not gating and status is not RunStatus.INVALID:
        reasons.append("too few generations for a verdict")
    told = headline(verdict, gating, reasons)
    changed = tell_changes(changes)
    if changed and verdict is not Verdict.INVALID:
        told = f"{told}; {changed}"
    return Overall(
        verdict=verdict,
        headline=told,
        reasons=reasons,
        exit_code=int(_exit_code(verdict, gating, plan.fail_on)),
    )


def judge_facts(
    changes: list[FactChange], checks: list[Check], status: RunStatus, fault: list[str]
) -> Overall:
    """Return what exact facts decide by themselves: any endpoint with more queries is a regression.

    They are counted and not estimated, so margin, alpha and `fail_on` do not matter.
    """
    gating = [change for change in changes if change.gating]
    invalid = status is RunStatus.INVALID
    verdict = Verdict.INVALID if invalid else combine([change.verdict for change in gating])
    reasons = fault + _failed(checks)
    if not gating and not invalid:
        ended = "no query could be counted" if status is RunStatus.COMPLETE else "nothing was counted yet"
        reasons.append(ended)
    if invalid or not gating:
        told = headline(verdict, [], reasons)
    else:
        told = f"{verdict}: {tell_changes(changes) or 'every endpoint makes as many queries per request'}"
    code = {Verdict.INVALID: ExitCode.INVALID, Verdict.REGRESSED: ExitCode.REGRESSED}.get(
        verdict, ExitCode.OK
    )
    return Overall(verdict=verdict, headline=told, reasons=reasons, exit_code=int(code))


def _failed(checks: list[Check]) -> list[str]:
    return [f"{one.name}: {one.message}" for one in checks if one.status is CheckStatus.FAIL]


def _exit_code(verdict: Verdict, gating: list[Contrast], fail_on: FailOn) -> ExitCode:
    if verdict is Verdict.INVALID:
        return ExitCode.INVALID
    return ExitCode.REGRESSED if any(fails(contrast, fail_on) for contrast in gating) else ExitCode.OK


def fails(contrast: Contrast, fail_on: FailOn) -> bool:
    """Say whether a contrast fails a build; ratios are judged on the log scale, as their verdict was."""
    effect = contrast.effect
    if effect is None:
        return False
    ratio = effect.kind == "ratio"
    scale = _log1p if ratio else float
    return exceeds_margin(
        scale(effect.estimate),
        scale(effect.low),
        scale(effect.high),
        log_margin(contrast.margin) if ratio else contrast.margin,
        direction=Direction(contrast.direction),
        fail_on=fail_on,
    )


def _log1p(change: float) -> float:
    return math.log1p(change) if change > -1.0 else -math.inf
