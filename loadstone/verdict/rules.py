"""How a run's contrasts are judged: by the plan, and by how the run ended."""

from __future__ import annotations

from dataclasses import dataclass

from loadstone.record.plan import Plan
from loadstone.stats import sequential
from loadstone.stats.repeated import Anytime, Exact, Family, Rule, Stopping, shared

MOST_TOLD = 20
"""Looks of a run without a fixed end that are recorded."""


@dataclass(frozen=True)
class Rules:
    """The rules of one look: exact for what decides, shared among whatever does not."""

    plan: Plan
    gating: Rule
    diagnostic: Family
    looks: tuple[int, ...]
    """Looks so far that are told, the one that judges included."""
    last: int
    """Generations at the last look that the run could have had."""
    turn_s: float
    """What one more generation takes."""

    @property
    def generations(self) -> int:
        """Generations that the look uses."""
        return self.looks[-1]


def rules_at(
    plan: Plan, generations: int, *, ended: bool, decided: bool = True, out_of_time: bool = False
) -> Rules | None:
    """Return the rules for judging after `generations`, or None where no look is due.

    Args:
        plan: the frozen plan.
        generations: measured so far.
        ended: no more will come.
        decided: the data ended it; otherwise a last look spends what is left of alpha.
        out_of_time: the budget ended it, so that its generations took longer than planned.
    """
    turn_s = plan.budget_s / (generations if out_of_time and generations else plan.max_generations)
    if plan.stopping is Stopping.ANYTIME:
        return _anytime(plan, generations, turn_s)
    planned = tuple(plan.looks)
    design = sequential.plan(planned, sequential.bonferroni(plan.alpha, contrasts_of(plan)))
    diagnostic = shared(planned, plan.alpha)
    if design.look_at(generations) is None or (ended and not decided):
        if not ended or generations < planned[0]:
            return None
        design = sequential.cut_short(design, generations)
        diagnostic = shared(planned, plan.alpha, end=generations)
    look = design.look_at(generations - generations % 2)
    if look is None:
        return None
    return Rules(plan, Exact(design), diagnostic, design.looks[: look + 1], design.maximum, turn_s)


def _anytime(plan: Plan, generations: int, turn_s: float) -> Rules | None:
    """Return the rules of a run without a fixed end: any number of generations may be judged."""
    if generations < plan.looks[0]:
        return None
    looks = list(range(plan.looks[0], generations + 1))
    step = -(-len(looks) // MOST_TOLD)
    alpha = sequential.bonferroni(plan.alpha, contrasts_of(plan))
    told = tuple(looks[::-1][::step][::-1])
    return Rules(plan, Anytime(alpha), Anytime(plan.alpha), told, generations, turn_s)


def contrasts_of(plan: Plan) -> int:
    """Return how many contrasts share the alarm rate: gating metrics, times variants that are judged."""
    return len(plan.gating) * len(plan.judged)
