"""A run that goes on, in words: how its intervals narrow look by look, and how long it may still take."""

from __future__ import annotations

import math
from dataclasses import dataclass

from loadstone.record.going import Going
from loadstone.record.result import Contrast, Effect, Look
from loadstone.report import quantities, safe, wording
from loadstone.stats.verdicts import Direction, Verdict, judge, log_margin

OVERTIME = 1.05
"""Share of the budget that a run may use up."""
LEAST_SIDES = 2
"""Labels without which a variant needs no name."""


@dataclass(frozen=True)
class LookLine:
    """One look at one metric."""

    generations: int
    effect: Effect
    verdict: Verdict

    def estimate(self, unit: str) -> str:
        """Return the estimate as tables tell it."""
        return wording.estimate(self.effect, unit)

    def interval(self, unit: str) -> str:
        """Return the interval as tables tell it."""
        return wording.interval(self.effect, unit)


def look_lines(contrast: Contrast) -> list[LookLine]:
    """Return every look at `contrast` so far, the earliest first."""
    looks = contrast.looks
    if contrast.effect is not None and (not looks or looks[-1].generations != contrast.generations):
        looks = [*looks, Look(generations=contrast.generations, effect=contrast.effect)]
    return [LookLine(one.generations, one.effect, _verdict(contrast, one.effect)) for one in looks]


def metric_name(going: Going, contrast: Contrast) -> str:
    """Return `mean latency`, with the endpoint or the variant where these need telling."""
    name = wording.metric_label(contrast.metric)
    if contrast.endpoint:
        name += f" of {safe.name(contrast.endpoint, 60)}"
    if len(going.labels) > LEAST_SIDES and contrast.variant in going.names:
        name += f", {safe.name(going.labels[going.names.index(contrast.variant)], 60)}"
    return name


def is_open(contrast: Contrast) -> bool:
    """Say whether a metric waits for more looks."""
    return contrast.available and contrast.verdict is Verdict.INCONCLUSIVE


def remaining(going: Going) -> str:
    """Return when the next look is due and how long measuring may still take; nothing before the plan."""
    if not going.most:
        return ""
    parts = [*_next_look(going), *_likely(going)]
    parts.append(f"at most {_about(_most_s(going))} to go" if _most_s(going) >= 1 else "about to end")
    return "; ".join(parts)


def _turn_s(going: Going) -> float:
    """Return what a generation takes: as seen, or as planned before anything was seen."""
    seen = going.measured - going.first
    return going.looked_s / seen if seen > 0 and going.looked_s > 0 else going.planned_turn_s


def _until_s(going: Going, generations: int) -> float:
    return max(0.0, _turn_s(going) * (generations - going.first) - going.elapsed_s)


def _most_s(going: Going) -> float:
    by_budget = OVERTIME * going.budget_s - going.elapsed_s
    return max(0.0, min(_until_s(going, going.most), by_budget))


def _next_look(going: Going) -> list[str]:
    later = [one for one in going.looks if one > going.measured]
    if going.anytime and going.measured:
        later = [going.measured + 1]
    if not later or later[0] > going.most:
        return []
    which = "next" if going.measured else "first"
    return [f"{which} look after {later[0]} generations, in about {_about(_until_s(going, later[0]))}"]


def _likely(going: Going) -> list[str]:
    """Tell when what is open would likely be settled, where all of it would be within the plan."""
    waiting = [one for one in going.contrasts if is_open(one)]
    if going.contrasts and not waiting:
        return ["every metric that decides is decided"]
    minutes = [one.more_minutes for one in waiting]
    known = [one for one in minutes if one is not None]
    if not known or len(known) < len(minutes):
        return []
    seconds = 60 * max(known) - (going.elapsed_s - going.looked_s)
    if seconds > _most_s(going):
        return [f"a verdict would likely need {_about(seconds)}"]
    return [f"a verdict likely in {_about(seconds)}"]


def _about(seconds: float) -> str:
    """Return seconds as nobody takes them for exact: in steps of five, from two minutes of ten."""
    step = 10 if seconds >= 120 else 5  # noqa: PLR2004 - minutes
    return quantities.duration(max(step, step * math.ceil(seconds / step)))


def _verdict(contrast: Contrast, effect: Effect) -> Verdict:
    ratio = effect.kind == "ratio"
    low, high = (math.log1p(max(end, -1 + 1e-12)) if ratio else end for end in (effect.low, effect.high))
    margin = log_margin(contrast.margin) if ratio else contrast.margin
    return judge(low, high, margin, Direction(contrast.direction))
