"""A matrix in words: one set of lines and rows, for page, Markdown and terminal."""

from __future__ import annotations

from loadstone.record.matrix_result import MatrixCell, MatrixEffect, MatrixResult
from loadstone.record.result import Effect
from loadstone.report import quantities, wording

LABELS = {"latency_mean": "Mean latency", "cpu": "CPU per request"}
EFFECT_COLUMNS = ("effect", "change", "interval", "so")
TOGETHER = (
    "of two toggles, it is the ratio of one's effect with the other on to that with it off: none where "
    "they do not care for each other, more (+) where they take gain from each other"
)
RANKED = (
    "the ranking takes what gains most given what comes before it; it is chosen on the same data, "
    "so its first steps are a little too kind"
)
NO_GAIN = "no gain after what comes before it: leave it off"
CELL_COLUMNS = ("combination", "mean latency", "change", "interval", "holds more by", "got worse", "front")


def word(result: MatrixResult) -> str:
    """Return how the matrix went, in one word."""
    return {"invalid": "INVALID", "partial": "INTERRUPTED"}.get(result.status, "MEASURED")


def headline(result: MatrixResult) -> str:
    """Return what to do first, as far as it is certain."""
    if not result.steps:
        return f"not every combination could be measured: {result.stop_reason}"
    first = result.steps[0]
    sure = next(
        (
            one
            for one in result.effects
            if one.metric == "latency_mean" and one.factors == [first.factor] and one.detected
        ),
        None,
    )
    if sure is None or sure.effect.estimate > 0:
        return "no toggle alone is certain to gain: see the intervals"
    return f"do this first: {choice(result, first.factor)} ({step_change(first.change)} mean latency)"


def choice(result: MatrixResult, name: str) -> str:
    """Return `orm=prefetch`."""
    return next(f"{one.name}={one.on}" for one in result.plan.factors if one.name == name)


def step_change(change: float) -> str:
    """Return the change by one step, with its sign."""
    return quantities.signed_percent(change, 1)


def steps(result: MatrixResult) -> list[str]:
    """Return the ranking: what gains most, given what comes before it."""
    how = ", predicted by main effects" if result.plan.half else ""
    return [
        f"{place}. {choice(result, one.factor)}: {step_change(one.change)}, "
        f"to {quantities.microseconds(one.latency_us)}{how}{f'; {NO_GAIN}' if one.change >= 0 else ''}"
        for place, one in enumerate(result.steps, start=1)
    ]


def best_line(result: MatrixResult) -> str:
    """Return the fastest combination that was measured, against the base; nothing where none gains."""
    told = [one for one in result.cells if one.latency is not None]
    best = min(told, key=lambda one: one.latency_us, default=None)
    if best is None or best.latency is None or best.latency.high >= 0:
        return ""
    return (
        f"the fastest combination that was measured is {cell_name(result, best)}: "
        f"{quantities.microseconds(best.latency_us)}, {wording.estimate(best.latency, 'share')} "
        f"({wording.interval(best.latency, 'share')})"
    )


def cell_name(result: MatrixResult, one: MatrixCell) -> str:
    """Return what is on in a combination."""
    return ", ".join(choice(result, name) for name in one.on) or "everything off"


def effect_name(one: MatrixEffect) -> str:
    """Return `orm`, or `orm with cache`, and what it cannot be told from."""
    told = " with ".join(one.factors)
    others = " or ".join(" with ".join(other) for other in one.aliases)
    return f"{told} (or {others})" if others else told


def effect_row(one: MatrixEffect) -> tuple[str, ...]:
    """Return the cells of one effect's row."""
    return (
        effect_name(one),
        wording.estimate(one.effect, "share"),
        f"{wording.interval(one.effect, 'share')}",
        _so(one),
    )


def cell_row(result: MatrixResult, one: MatrixCell) -> tuple[str, ...]:
    """Return the cells of one combination's row."""
    extra = "–" if one.extra_bytes is None else _signed_bytes(one.extra_bytes)
    return (
        cell_name(result, one),
        quantities.microseconds(one.latency_us),
        "the base" if one.latency is None else wording.estimate(one.latency, "share"),
        "" if one.latency is None else wording.interval(one.latency, "share"),
        "" if one.latency is None else extra,
        "" if one.latency is None else str(one.worse),
        "★" if one.best else "",
    )


def levels(effects: list[Effect]) -> str:
    """Return the level of intervals, which are all alike."""
    return f"{quantities.significant(effects[0].level * 100, 5)}%" if effects else ""


def design_line(result: MatrixResult) -> str:
    """Say what was measured."""
    plan = result.plan
    kind = "half of all combinations" if plan.half else "all combinations"
    return (
        f"{len(plan.cells)} combinations ({kind}) in {comparisons(len(plan.blocks))}, each beside the base "
        f"where every toggle is off, {plan.generations} generations each"
    )


def comparisons(count: int) -> str:
    """Return `1 comparison` or `3 comparisons`."""
    return f"{count} comparison{'' if count == 1 else 's'}"


def reading(result: MatrixResult) -> list[str]:
    """Say how effects are to be read."""
    told = [
        "a toggle's effect is on against off, averaged over all that the others are set to",
        TOGETHER,
        RANKED,
    ]
    if result.plan.half:
        told.append("half a design tells pairs only as sums of two, named together")
    return told


def _so(one: MatrixEffect) -> str:
    if not one.detected:
        return "not certain"
    if len(one.factors) == 1:
        return "gains" if one.effect.high < 0 else "costs"
    return "gain more together" if one.effect.high < 0 else "gain less together"


def _signed_bytes(value: int) -> str:
    sign = quantities.MINUS if value < 0 else "+"
    return f"{sign}{quantities.size(abs(value))}"
