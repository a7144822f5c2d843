"""From the rounds of micro-benchmarks to verdicts, by the statistics of the macro lanes.

A generation runs every benchmark once on each side, in fresh processes, in a counterbalanced
order; its level is the median round. Log ratios over generations are fitted with the effect of
the order (df = G - 2), and all benchmarks are one family: discoveries at a false-discovery rate.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from loadstone.record.micro import Instructions, MicroFinding
from loadstone.record.result import Effect
from loadstone.stats.discoveries import discover
from loadstone.stats.inference import Fit, contrasts, fit
from loadstone.stats.special import FloatArray
from loadstone.stats.verdicts import Verdict, combine, exceeds_margin, judge, log_margin

Levels = Mapping[str, FloatArray]
"""By benchmark: medians in seconds [generation, side]; NaN where it did not run."""


def judge_micro(
    levels: Levels, groups: Mapping[str, str], positions: NDArray[np.int64], *, margin: float, alpha: float
) -> list[MicroFinding]:
    """Return what each benchmark shows.

    Args:
        levels: of all benchmarks of either side.
        groups: of each, as pytest-benchmark has them.
        positions: start positions [generation, side].
        margin: smallest relative change that matters.
        alpha: of false discoveries.
    """
    fits = {name: _fit(table, positions) for name, table in levels.items()}
    known = [name for name, one in fits.items() if one is not None]
    found = discover(np.array([_p(fits[name]) for name in known], dtype=np.float64), alpha)
    q_values = dict(zip(known, map(float, found.q_values), strict=True))
    return [
        _finding(
            name,
            groups.get(name, ""),
            levels[name],
            fits[name],
            level=found.level,
            q=q_values.get(name),
            margin=margin,
        )
        for name in levels
    ]


def verdict_of(findings: Sequence[MicroFinding], margin: float) -> tuple[Verdict, bool]:
    """Return one verdict, and whether a regression is beyond the margin."""
    verdicts = [one.verdict for one in findings if one.verdict is not None]
    fails = any(
        one.effect is not None
        and exceeds_margin(
            math.log1p(one.effect.estimate),
            math.log1p(one.effect.low),
            math.log1p(one.effect.high),
            log_margin(margin),
        )
        for one in findings
    )
    return combine(verdicts), fails


def with_instructions(
    findings: Sequence[MicroFinding],
    counts: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    tolerance: float,
) -> list[MicroFinding]:
    """Return the findings with what was counted beside them.

    Args:
        findings: of the clock.
        counts: instructions per call of both sides, by benchmark; once for each count.
        tolerance: relative change up to which counts are the same.
    """
    return [replace(one, instructions=_counted(counts.get(one.name), tolerance)) for one in findings]


def _counted(sides: tuple[Sequence[float], Sequence[float]] | None, tolerance: float) -> Instructions | None:
    """Return the least counts, compared: what else a process does can only add to them."""
    if sides is None or not all(sides) or not all(min(side) > 0 for side in sides):
        return None
    before, after = (min(side) for side in sides)
    change, spread = after / before - 1, max(max(side) / min(side) - 1 for side in sides)
    same = abs(change) <= tolerance + spread  # two counts show less than all of what counts scatter
    says = "same" if same else "more" if change > 0 else "fewer"
    return Instructions(before=before, after=after, change=change, spread=spread, says=says)


def _fit(table: FloatArray, positions: NDArray[np.int64]) -> Fit | None:
    if not np.isfinite(table).all() or not (table > 0).all():
        return None
    d, s = contrasts(table, positions, log=True)
    found = fit(d[:, 0], s[:, 0])
    return found if found.available else None


def _p(one: Fit | None) -> float:
    return math.nan if one is None else one.p_value


def _finding(
    name: str,
    group: str,
    table: FloatArray,
    fitted: Fit | None,
    *,
    level: float,
    q: float | None,
    margin: float,
) -> MicroFinding:
    if fitted is None:
        sides = [
            side for side, column in zip(("base", "head"), table.T, strict=True) if np.isnan(column).any()
        ]
        why = f"did not run on {' and '.join(sides)}" if sides else "too few generations"
        return MicroFinding(name=name, group=group, why=why)
    low, high = fitted.interval(level)
    before, after = (float(np.exp(np.log(column).mean())) for column in table.T)
    return MicroFinding(
        name=name,
        group=group,
        before_s=before,
        after_s=after,
        effect=Effect(
            kind="ratio",
            estimate=math.expm1(fitted.estimate),
            low=math.expm1(low),
            high=math.expm1(high),
            level=1.0 - level,
        ),
        verdict=judge(low, high, log_margin(margin)),
        p_value=fitted.p_value,
        q_value=q,
    )
