"""Controls: was a copy of before found to be no different, and a known extra cost found as large as it is?"""

from __future__ import annotations

import math

from msgspec.structs import replace

from loadstone.record.plan import Control
from loadstone.record.result import CheckStatus, Contrast, ControlFinding
from loadstone.stats.inference import contrasts, fit
from loadstone.stats.verdicts import Verdict
from loadstone.verdict.contrasts import all_contrasts, start_positions
from loadstone.verdict.judging import is_open
from loadstone.verdict.levels import Observations, levels
from loadstone.verdict.metrics import BY_NAME
from loadstone.verdict.rules import Rules

UNTOUCHED = ("errors", "cpu_database")
"""Metrics that an extra cost of time, charged to the server, does not change."""


def heard(observations: Observations, rules: Rules) -> bool:
    """Tell whether no deciding metric still waits for the known extra cost to be found."""
    return not any(is_open(one) for one in _against_before(observations, rules, Control.SPEECH))


def judge_controls(
    observations: Observations, bare: Observations | None, rules: Rules
) -> list[ControlFinding]:
    """Return what the deciding metrics say of the controls, at the level at which they judge.

    Args:
        observations: the run's generations, the known extra cost in them.
        bare: the same without that cost; None where there is none.
        rules: how the run is judged.
    """
    found = [_silence(one) for one in _against_before(observations, rules, Control.SILENCE)]
    if bare is not None:
        spoken = _against_before(observations, rules, Control.SPEECH)
        found += [_speech(one, _truth(one, observations, bare, rules)) for one in spoken]
    return found


def _against_before(observations: Observations, rules: Rules, control: Control) -> list[Contrast]:
    """Return the contrasts of one kind of control, of the metrics that it concerns."""
    variants = [index for index, one in enumerate(rules.plan.variants) if one.control is control]
    found = all_contrasts(observations, rules, gating_only=True, variants=variants) if variants else []
    untouched = UNTOUCHED if control is Control.SPEECH else ()
    return [replace(one, gating=False) for one in found if one.metric not in untouched]


def _silence(contrast: Contrast) -> ControlFinding:
    """A difference beyond what matters, between before and itself, is one that is not there."""
    told = contrast.verdict not in {None, Verdict.EQUIVALENT, Verdict.INCONCLUSIVE}
    return ControlFinding(
        control=Control.SILENCE,
        status=CheckStatus.FAIL if told else CheckStatus.OK,
        truth=0.0,
        contrast=contrast,
    )


def _speech(contrast: Contrast, truth: float | None) -> ControlFinding:
    """The interval must hold the truth; it should not hold zero."""
    effect, status = contrast.effect, CheckStatus.OK
    if effect is not None and truth is not None:
        if not effect.low <= truth <= effect.high:
            status = CheckStatus.FAIL
        elif not contrast.detected:
            status = CheckStatus.WARN
    return ControlFinding(control=Control.SPEECH, status=status, truth=truth, contrast=contrast)


def _truth(contrast: Contrast, observations: Observations, bare: Observations, rules: Rules) -> float | None:
    """Return what the cost added to the metric, estimated as the effect is, as a ratio - 1.

    From d_g less what d_g is on the same requests without the cost.
    """
    if not contrast.available:
        return None
    metric, count = BY_NAME[contrast.metric], rules.generations
    endpoint = None if contrast.endpoint is None else observations.endpoints.index(contrast.endpoint)
    index = [variant.name for variant in rules.plan.variants].index(contrast.variant)
    positions = start_positions(rules.plan, count)[:, [0, index]]
    (with_cost, s), (without, _) = (
        contrasts(levels(one, metric, endpoint)[:count][:, [0, index]], positions)
        for one in (observations, bare)
    )
    return math.expm1(fit(with_cost[:, 0] - without[:, 0], s[:, 0]).estimate)
