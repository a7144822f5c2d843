"""Did the controls show that this run could be silent, and that it could speak?

A silent control that is called different, or an interval that misses a known
effect, fails the run: what it says of *after* rests on the same ground. Both are
judged like the deciding metrics, whose levels sum to alpha for each judged
variant; so chance does either to at most that share of sound runs.
"""

from __future__ import annotations

from collections.abc import Sequence

from loadstone.record.plan import Control, Plan
from loadstone.record.result import Check, CheckStatus, ControlFinding, Effect
from loadstone.verdict.headline import NAMES

SILENCE, SPEECH = (f"control: {one}" for one in Control)


def control_checks(findings: Sequence[ControlFinding], plan: Plan) -> list[Check]:
    """Return a check of each kind of control that the run had."""
    checks = []
    for name, control, check in ((SILENCE, Control.SILENCE, _silence), (SPEECH, Control.SPEECH, _speech)):
        if not any(variant.control is control for variant in plan.variants):
            continue
        told = [one for one in findings if one.control is control and one.contrast.effect is not None]
        if told:
            checks.append(check(name, told, plan))
        else:
            message = (
                "too few generations to tell" if not findings else "no deciding metric is measurable here"
            )
            checks.append(Check(name=name, status=CheckStatus.WARN, message=message))
    return checks


def _silence(name: str, told: Sequence[ControlFinding], plan: Plan) -> Check:
    wrong = [one for one in told if one.status is not CheckStatus.OK]
    found = ", ".join(_found(one) for one in wrong or told)
    return Check(
        name=name,
        status=CheckStatus.FAIL if wrong else CheckStatus.OK,
        message=f"a copy of before is called different: {found}"
        if wrong
        else f"a copy of before is called no different: {found}",
        remedy=_repeat(plan) if wrong else "",
        value=float(len(wrong)),
    )


def _speech(name: str, told: Sequence[ControlFinding], plan: Plan) -> Check:
    missed = [one for one in told if one.status is CheckStatus.FAIL]
    unheard = [one for one in told if one.status is CheckStatus.WARN]
    if missed:
        message = f"a known change lies outside its interval: {_known(missed)}"
    elif unheard:
        message = f"a known change was not seen: {_known(unheard)}"
    else:
        message = f"a known change was seen, as large as it is: {_known(told)}"
    status = CheckStatus.FAIL if missed else CheckStatus.WARN if unheard else CheckStatus.OK
    more = "this run could not have seen a change of that size there: a larger --budget"
    return Check(
        name=name,
        status=status,
        message=message,
        remedy=_repeat(plan) if missed else more if unheard else "",
        value=plan.spike_share,
    )


def _repeat(plan: Plan) -> str:
    share = plan.alpha / len(plan.judged)
    return (
        f"repeat the run: chance does this to at most {share:.1%} of sound runs, "
        "and twice is a fault of the machine or of the target"
    )


def _known(told: Sequence[ControlFinding]) -> str:
    return ", ".join(f"{_found(one)} of {one.truth or 0.0:+z.1%}" for one in told)


def _found(finding: ControlFinding) -> str:
    contrast = finding.contrast
    name = NAMES.get(contrast.metric, contrast.metric)
    return name if contrast.effect is None else f"{name} {_change(contrast.effect)}"


def _change(effect: Effect) -> str:
    ends = (effect.estimate, effect.low, effect.high)
    if effect.kind == "ratio":
        estimate, low, high = (f"{end:+z.1%}" for end in ends)
        return f"{estimate} [{low}, {high}]"
    estimate, low, high = (f"{end * 100:+z.2f}" for end in ends)
    return f"{estimate} points [{low}, {high}]"
