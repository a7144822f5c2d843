"""The table of versus.py: every method's false alarms, power and machine time, from stored units."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import machine_time
import numpy as np
import rivals
from judging import FloatArray
from machine_time import Aim, Need
from rivals import Rule, Runs, Units

EFFECTS = (0.0, 0.01, 0.02, 0.05)
EXPERIMENTS = 4_000
BOOTSTRAPS = 400
FEWEST = 3
"""Units of a scheme below which nothing is said of it."""
ONE, FIT = "one", "as many as fit"
BEFORE_AFTER = "before-then-after"
LOADSTONE, SHIPPED = "loadstone, this metric alone", "loadstone, a fifth of alpha"
GATE = 5
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Method:
    """A way to judge others use."""

    name: str
    scheme: str
    blocks: str
    """`long`: the longest block that fits the budget; `short`: the shortest."""
    count: str
    """One unit, or as many as fit the budget."""
    rule: Rule
    meant: float | None
    """False-alarm rate that it means to have; None: it says nothing of it."""
    never: str = ""
    """Why it can never call the aim, where it cannot."""


LIMIT = "its threshold lies above the change"
METHODS = (
    Method(f"{BEFORE_AFTER}, Welch", "restarts", "long", ONE, rivals.welch_rounds, 0.05),
    Method(f"{BEFORE_AFTER}, Mann-Whitney", "restarts", "long", ONE, rivals.mann_whitney_rounds, 0.05),
    Method(f"{BEFORE_AFTER}, 10%", "restarts", "long", ONE, rivals.threshold(rivals.CODSPEED), None, LIMIT),
    Method(f"{BEFORE_AFTER}, 200%", "restarts", "long", ONE, rivals.threshold(rivals.ACTION), None, LIMIT),
    Method("absolute threshold (k6)", "restarts", "long", ONE, rivals.absolute, None, LIMIT),
    Method("interleaved rounds (asv)", "restarts", "short", FIT, rivals.asv, 0.002),
    Method("interleaved restarts, Welch", "restarts", "short", FIT, rivals.welch_starts, 0.05),
    Method("parallel duet", "duet", "short", FIT, rivals.paired_starts, 0.01),
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was stored: units by scheme, shortest block first, and runs of loadstone."""

    restarts: list[Units]
    duets: list[Units]
    runs: Runs

    def of(self, scheme: str) -> list[Units]:
        """Return the units of a scheme."""
        return self.restarts if scheme == "restarts" else self.duets

    def resampled(self, rng: np.random.Generator) -> Evidence:
        """Return as many units of each kind, drawn with replacement; never one of them alone."""

        def again(count: int) -> np.ndarray[Any, np.dtype[np.int64]]:
            index = rng.integers(0, count, count)
            return index if np.unique(index).size > 1 else again(count)

        return Evidence(
            [one.take(again(one.duration_s.size)) for one in self.restarts],
            [one.take(again(one.duration_s.size)) for one in self.duets],
            self.runs.resampled(rng),
        )


def evidence_of(rows: Sequence[Row]) -> Evidence:
    """Return the stored rows as units, without schemes of too few."""

    def units(scheme: str) -> list[Units]:
        blocks = sorted({row["block_s"] for row in rows if row["scheme"] == scheme})
        found = [rivals.units_of(rows, scheme, block) for block in blocks]
        return [one for one in found if one.duration_s.size >= FEWEST]

    return Evidence(units("restarts"), units("duet"), rivals.runs_of(rows))


def compare(evidence: Evidence, aim: Aim, budget_s: float, step: Callable[[str], None]) -> list[Row]:
    """Return a row a method, loadstone last."""
    rng = np.random.default_rng(1)
    rows = []
    for method in METHODS:
        step(method.name)
        if evidence.of(method.scheme):
            rows.append(_rival(method, evidence, aim, budget_s, rng))
    if evidence.runs.d:
        step(LOADSTONE)
        rows.append(_ours(LOADSTONE, evidence.runs, aim, budget_s, 1.0, rng))
        step(SHIPPED)
        rows.append(_ours(SHIPPED, evidence.runs, aim, budget_s, GATE, rng))
    step("how sure the times are, by bootstrap")
    _add_ratios(rows, evidence, aim, rng)
    return rows


def _rival(method: Method, evidence: Evidence, aim: Aim, budget_s: float, rng: np.random.Generator) -> Row:
    known = evidence.of(method.scheme)
    fitting = [one for one in known if one.duration_s.mean() <= budget_s] or known[:1]
    units = fitting[-1] if method.blocks == "long" else known[0]
    fit = max(2, int(budget_s / units.duration_s.mean()))
    count = 1 if method.count == ONE else fit
    draws = rivals.draw(units, count, EXPERIMENTS, rng)
    return {
        "method": method.name,
        "block_s": units.block_s,
        "units_per_experiment": count,
        "units": int(units.duration_s.size),
        "meant": method.meant,
        "calls": [rivals.power(method.rule, draws, effect) for effect in EFFECTS],
        **_told(need_of(method.name, evidence, aim)),
        "measured_s": float(sum(one.duration_s.sum() for one in known)),
        "never": method.never,
    }


def _ours(name: str, runs: Runs, aim: Aim, budget_s: float, share: float, rng: np.random.Generator) -> Row:
    alpha = aim.alpha / share
    calls = rivals.loadstone_power(runs, budget_s, alpha, EFFECTS, rng)
    narrowed = Aim(aim.effect, aim.power, alpha)
    return {
        "method": name,
        "block_s": runs.turn_s,
        "units_per_experiment": int(budget_s / runs.turn_s) // 2 * 2,
        "units": sum(one.size for one in runs.d),
        "meant": alpha,
        "calls": calls or [math.nan] * len(EFFECTS),
        **_told(machine_time.loadstone_need(runs, narrowed)),
        "seconds_to_call": machine_time.seconds_to_call(runs, narrowed),
        "measured_s": float(runs.duration_s.sum()),
        "never": "",
    }


def need_of(method: str, evidence: Evidence, aim: Aim) -> Need:
    """Return what a method takes to reach the aim, with the test that its noise deserves."""
    if method == LOADSTONE:
        return machine_time.loadstone_need(evidence.runs, aim)
    if method == SHIPPED:
        return machine_time.loadstone_need(evidence.runs, Aim(aim.effect, aim.power, aim.alpha / GATE))
    if method.startswith("parallel"):
        return machine_time.best_repeated(evidence.duets, aim)
    if not method.startswith(BEFORE_AFTER):
        return machine_time.best_repeated(evidence.restarts, aim)
    again = machine_time.repeated(evidence.restarts[-1], aim)
    return min(again, longer_blocks(evidence, aim), key=lambda need: need.seconds)


def longer_blocks(evidence: Evidence, aim: Aim) -> Need:
    """Return what one before-then-after takes, with blocks as long as need be."""
    if len(evidence.restarts) < 2:  # noqa: PLR2004 - a line needs two points
        return Need(math.inf, 1.0, math.inf)
    overhead = float(np.mean([one.duration_s.mean() - 2.0 * one.block_s for one in evidence.restarts]))
    return machine_time.in_place(evidence.restarts).need(aim, overhead)


def _told(need: Need) -> Row:
    return {"seconds": need.seconds, "needed_units": need.units, "needed_block_s": need.block_s}


def _add_ratios(rows: list[Row], evidence: Evidence, aim: Aim, rng: np.random.Generator) -> None:
    """Add to each row its time over loadstone's, and the bootstrap's 95% intervals of both."""
    needs: dict[str, list[float]] = {row["method"]: [] for row in rows}
    if not evidence.runs.d:
        return
    for _ in range(BOOTSTRAPS):
        sample = evidence.resampled(rng)
        for name, values in needs.items():
            values.append(need_of(name, sample, aim).seconds)
    ours = np.array(needs[SHIPPED])
    shipped = next(row["seconds"] for row in rows if row["method"] == SHIPPED)
    for row in rows:
        times: FloatArray = np.array(needs[row["method"]])
        row["seconds_95"] = machine_time.interval(times)
        row["times_ours"] = row["seconds"] / shipped
        row["times_ours_95"] = machine_time.interval(times / ours)
        row["extrapolated"] = row["seconds"] > row["measured_s"]
