"""What an inconclusive contrast could have seen, and what would settle it."""

from __future__ import annotations

import math

from msgspec.structs import replace

from loadstone.record.result import Contrast
from loadstone.stats.planning import more_generations, smallest_detectable
from loadstone.stats.verdicts import Verdict, log_margin
from loadstone.verdict.contrasts import Rules
from loadstone.verdict.metrics import BY_NAME


def with_outlook(contrast: Contrast, rules: Rules) -> Contrast:
    """Return `contrast` with the smallest effect that this run could see and, if open, the time it needs."""
    if contrast.residual_sd is None or contrast.effect is None:
        return contrast
    ratio = BY_NAME[contrast.metric].ratio
    design = rules.gating if contrast.gating else rules.diagnostic
    smallest = smallest_detectable(contrast.residual_sd, design, rules.look)
    more = None
    if contrast.verdict is Verdict.INCONCLUSIVE:
        margin = log_margin(contrast.margin) if ratio else contrast.margin
        estimate = math.log1p(contrast.effect.estimate) if ratio else contrast.effect.estimate
        generations = more_generations(estimate, contrast.residual_sd, margin, rules.generations, design)
        if generations is not None:
            more = generations * (rules.plan.generation_s + rules.plan.warm_s) / 60
    return replace(
        contrast, smallest_detectable=math.expm1(smallest) if ratio else smallest, more_minutes=more
    )
