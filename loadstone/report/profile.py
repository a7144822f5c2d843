"""Where the CPU time of a request goes: sampled stacks of two variants, one against the other."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from loadstone.record.profiled import FunctionSamples, Profile, ProfileSide
from loadstone.record.result import Result
from loadstone.report import quantities, safe, selection
from loadstone.report.charts import flame
from loadstone.stats.sampling import beyond_chance

MOST_FUNCTIONS = 12


@dataclass(frozen=True)
class Cost:
    """What one function costs a request on both sides, in microseconds of CPU."""

    name: str
    file: str
    own: tuple[float, float]
    total: tuple[float, float]
    shares: tuple[float, float]
    """Its own cost as a share of each side's."""
    certain: bool
    """Whether its own cost differs by more than sampling does."""

    @property
    def change(self) -> float:
        """Return the change of its own cost, in microseconds."""
        return self.own[1] - self.own[0]


@dataclass(frozen=True)
class Flames:
    """One variant's stacks against the baseline's."""

    title: str
    labels: tuple[str, str]
    whole: tuple[float, float]
    """CPU microseconds a request."""
    samples: tuple[int, int]
    charts: tuple[Markup, Markup]
    costs: list[Cost]
    """Those whose own cost changed most, the largest change first."""


def flames(result: Result) -> list[Flames]:
    """Return the flame graphs that can be drawn: both sides have stacks."""
    profile = result.profile
    if profile is None or not profile.sides or not profile.sides[0].samples:
        return []
    return [
        _flames(result, profile, place) for place, side in enumerate(profile.sides) if place and side.samples
    ]


def missing(result: Result) -> list[tuple[str, str]]:
    """Return the variants without stacks, each with the reason."""
    sides = result.profile.sides if result.profile else []
    return [
        (
            safe.name(selection.label_of(result, one.variant), 60),
            one.unavailable or "no sample found it running",
        )
        for one in sides
        if not one.samples
    ]


def told(cost: Cost) -> str:
    """Return the change of a function's own cost in words."""
    if not cost.certain:
        return "no more than chance"
    sign = quantities.MINUS if cost.change < 0 else "+"
    return f"{sign}{quantities.microseconds(abs(cost.change))}"


def costs(profile: Profile, place: int) -> list[Cost]:
    """Return the functions whose own cost differs most between the baseline and the side at `place`.

    Those that differ by chance come last; of them, the costliest first.
    """
    sides = profile.sides[0], profile.sides[place]
    found = [
        _cost(one, (one.own[0], one.own[place]), (one.total[0], one.total[place]), sides)
        for one in profile.functions
    ]
    changed = sorted((one for one in found if one.certain), key=lambda one: -abs(one.change))
    same = sorted((one for one in found if not one.certain), key=lambda one: -max(one.own))
    return [*changed, *same][:MOST_FUNCTIONS]


def _flames(result: Result, profile: Profile, place: int) -> Flames:
    sides = profile.sides[0], profile.sides[place]
    first, second = (safe.name(selection.label_of(result, one.variant), 60) for one in sides)
    weights = weight(sides[0]), weight(sides[1])
    calls = flame.calls(profile, place, weights)
    whole = sides[0].cpu_us_per_request, sides[1].cpu_us_per_request
    return Flames(
        title=f"{first} {quantities.ARROW} {second}",
        labels=(first, second),
        whole=whole,
        samples=(sides[0].samples, sides[1].samples),
        charts=(
            flame.draw(calls, 0, whole, f"Stacks of {first}"),
            flame.draw(calls, 1, whole, f"Stacks of {second}"),
        ),
        costs=costs(profile, place),
    )


def weight(side: ProfileSide) -> float:
    """Return what one sample of a side stands for, in microseconds of CPU a request."""
    return side.cpu_us_per_request / side.samples if side.samples else 0.0


def _cost(
    one: FunctionSamples, own: tuple[int, int], total: tuple[int, int], sides: tuple[ProfileSide, ProfileSide]
) -> Cost:
    weights = weight(sides[0]), weight(sides[1])
    name, file = flame.split(one.function)
    return Cost(
        name=name,
        file=file,
        own=(own[0] * weights[0], own[1] * weights[1]),
        total=(total[0] * weights[0], total[1] * weights[1]),
        shares=(own[0] / max(1, sides[0].samples), own[1] / max(1, sides[1].samples)),
        certain=beyond_chance(*own, *weights),
    )
