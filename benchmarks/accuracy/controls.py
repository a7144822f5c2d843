"""Can these checks fail? Wrong ways of judging, which must raise more false alarms than was meant.

Simulated request by request: identical variants, generations that start faster or
slower (SD 0.3%), the one that starts first 1.5% slower. The shipped rule must keep
its promise; each wrong rule must break it, or this ends with 1.

With --runs, the sealed raw rows of real runs of two identical variants are judged
the same way; held to break the promise are then the two rules that take requests
for independent, the others are told.

Examples:
    python benchmarks/accuracy/controls.py
    python benchmarks/accuracy/controls.py --runs reports/*-orm-prefetch-orm-prefetch
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from judging import (
    FloatArray,
    Rule,
    every_look_rule,
    judge,
    running_fits,
    sequential_rule,
    start_contrasts,
    z_rule,
)
from ledger import append, wilson
from noise import REQUEST_SD, START_EFFECT, START_SD
from progress import say, steps
from scipy import signal, stats

from loadstone.errors import LoadstoneError
from loadstone.stats.sequential import Design, even_looks, plan
from loadstone.stats.special import normal_cdf, t_critical
from loadstone.verdict.assemble import Sealed, read_sealed
from loadstone.verdict.contrasts import start_positions
from loadstone.verdict.levels import levels
from loadstone.verdict.metrics import BY_NAME

GENERATIONS = 12
PAIRS = 400
"""Of a generation; each stands for some 40 real ones."""
BATCH = 100
STRICT_Z = 3.29
SHIPPED = "shipped"
WRONG = {
    "fixed order": "after is always started first, and no start term is fitted",
    "paired z": "requests are the unit: z over the differences of all pairs",
    "wilcoxon": "requests are the unit: signed ranks of all pairs",
    "z boundary": "the boundaries act on the p-value of z instead of t",
    "every look": "a look after every generation, each at the whole of alpha",
}
BY_REQUEST = ("paired z", "wilcoxon")
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    """One comparison of identical variants, down to its pairs."""

    d: FloatArray
    """[G] log ratio of each generation."""
    s: FloatArray
    """[G] start contrasts."""
    ratio: FloatArray
    """[pairs] log ratio of each pair, after against before."""
    difference: FloatArray
    """[pairs] difference of each pair's latencies, capped, in the mean latency's unit."""


def main(argv: list[str] | None = None) -> int:
    """Judge, print a table, append the rows; 1 where a control did not rise or the shipped rule did."""
    options = _options(argv)
    if options.runs:
        rows = _real(options.runs, options.alpha)
    else:
        rows = _simulated(options.experiments, options.alpha, options.seed)
    _print(rows)
    if not options.no_save:
        say(f"appended to {append('controls', rows)}")
    broken = [row for row in rows if row["as_it_must"] is False]
    for row in broken:
        verb = "rose" if row["rule"] == SHIPPED else "did not rise"
        say(f"the checks are not to be trusted: false alarms of {row['rule']} {verb}")
    return 1 if broken else 0


def _simulated(experiments: int, alpha: float, seed: int) -> list[Row]:
    rng = np.random.default_rng(seed)
    design = plan(even_looks(GENERATIONS), alpha)
    hits = dict.fromkeys((SHIPPED, *WRONG), 0)
    starts = range(0, experiments, BATCH)
    with steps(len(starts)) as step:
        for start in starts:
            step(f"{experiments} runs of {GENERATIONS} generations of {PAIRS} pairs")
            count = min(BATCH, experiments - start)
            s = start_contrasts(rng, count, GENERATIONS)
            latency = _latencies(rng, s)
            fixed = _latencies(rng, np.ones_like(s))
            for name, alarms in _alarms(latency, fixed, s, design).items():
                hits[name] += int(alarms.sum())
    return [_row(name, count, experiments, alpha, held=True) for name, count in hits.items()]


def _latencies(rng: np.random.Generator, s: FloatArray) -> FloatArray:
    """Return latencies [runs, generations, pairs, side] around 1 on a host that wanders as AR(1)."""
    shape = (*s.shape, PAIRS, 2)
    shocks = 0.2 * np.sqrt(1.0 - 0.998**2) * rng.standard_normal((s.shape[0], s.shape[1] * PAIRS))
    host = signal.lfilter([1.0], [1.0, -0.998], shocks, axis=1).reshape(*s.shape, PAIRS, 1)
    side = np.stack([-s, s], axis=2) * START_EFFECT / 2.0 + START_SD / np.sqrt(2.0) * rng.standard_normal(
        (*s.shape, 2)
    )
    logs = host + side[:, :, None, :] + REQUEST_SD * rng.standard_normal(shape)
    return np.asarray(np.exp(logs), dtype=np.float64)


def _alarms(latency: FloatArray, fixed: FloatArray, s: FloatArray, design: Design) -> dict[str, Any]:
    """Return each rule's alarms [runs]."""
    fits = running_fits(_contrasts(latency), s)
    flat = latency.reshape(latency.shape[0], -1, 2)
    first = design.looks[0]
    return {
        SHIPPED: judge(fits, sequential_rule(design), 0.0, 0.0).alarm,
        "fixed order": judge(running_fits(_contrasts(fixed), None), _unmodelled(design), 0.0, 0.0).alarm,
        "paired z": _paired_z(flat[..., 1] - flat[..., 0]) <= design.alpha,
        "wilcoxon": _wilcoxon(np.log(flat[..., 1] / flat[..., 0])) <= design.alpha,
        "z boundary": judge(fits, z_rule(design), 0.0, 0.0).alarm,
        "every look": judge(fits, every_look_rule(design.alpha, design.maximum, first), 0.0, 0.0).alarm,
    }


def _contrasts(latency: FloatArray) -> FloatArray:
    means = latency.mean(axis=2)
    return np.asarray(np.log(means[..., 1] / means[..., 0]), dtype=np.float64)


def _unmodelled(design: Design) -> Rule:
    """Return the rule of a t test without start term: one more degree of freedom."""
    return Rule("fixed order", design.looks, t_critical(design.nominal_p, np.array(design.looks) - 1))


def _paired_z(difference: FloatArray) -> FloatArray:
    """Return the two-sided p-value [...] of the mean of all pairs, as if they were independent."""
    error = difference.std(axis=-1, ddof=1) / np.sqrt(difference.shape[-1])
    return 2.0 * normal_cdf(-np.abs(difference.mean(axis=-1)) / error)


def _wilcoxon(ratio: FloatArray) -> FloatArray:
    found = stats.wilcoxon(ratio, axis=-1, method="asymptotic")
    return np.asarray(found.pvalue, dtype=np.float64)


def _real(folders: list[Path], alpha: float) -> list[Row]:
    hits = dict.fromkeys((SHIPPED, *WRONG), 0)
    with steps(len(folders)) as step:
        for folder in folders:
            step(folder.name)
            for name, alarm in _judge_real(read_run(read_sealed(folder)), alpha):
                hits[name] += alarm
    held = (SHIPPED, *BY_REQUEST)
    return [_row(name, count, len(folders), alpha, held=name in held) for name, count in hits.items()]


def read_run(sealed: Sealed) -> Run:
    """Return a real run's contrasts of the mean latency, and its pairs without quiet gaps.

    Raises:
        ValueError: the variants differ, so that an alarm would not be false.
    """
    plan_, seen = sealed.plan, sealed.observations
    before, after = plan_.variants[:2]
    if (before.toggles, before.recipe, before.provenance) != (after.toggles, after.recipe, after.provenance):
        raise ValueError(f"{plan_.title} compares variants that differ: its alarms need not be false")
    positions = start_positions(plan_, seen.count)
    table = levels(seen, BY_NAME["latency_mean"], None)
    ratios, differences = [], []
    for one in seen.generations:
        chosen = one.rows[one.good & (one.rows["gap"] == 0) & (one.rows["variant"] < 2)]  # noqa: PLR2004
        pairs = chosen[np.lexsort((chosen["variant"], chosen["pair"]))]["service_us"].reshape(-1, 2)
        ratios.append(np.log(pairs[:, 1] / pairs[:, 0]))
        capped = np.minimum(pairs, np.quantile(pairs, 0.99))
        differences.append(capped[:, 1] - capped[:, 0])
    return Run(
        d=np.log(table[:, 1] / table[:, 0]),
        s=np.asarray(positions[:, 0] - positions[:, 1], dtype=np.float64),
        ratio=np.concatenate(ratios),
        difference=np.concatenate(differences),
    )


def _judge_real(run: Run, alpha: float) -> Iterator[tuple[str, bool]]:
    """Yield each rule's verdict; `fixed order` takes the generations in which *after* started first."""
    even = run.d.size - run.d.size % 2
    d, s = run.d[None, :even], run.s[None, :even]
    design, fits = plan(even_looks(even), alpha), running_fits(d, s)
    first = run.d[run.s > 0]
    yield SHIPPED, bool(judge(fits, sequential_rule(design), 0.0, 0.0).alarm[0])
    yield "fixed order", bool(stats.ttest_1samp(first, 0.0).pvalue <= alpha)
    yield "paired z", bool(_paired_z(run.difference) <= alpha)
    yield "wilcoxon", bool(_wilcoxon(run.ratio) <= alpha)
    yield "z boundary", bool(judge(fits, z_rule(design), 0.0, 0.0).alarm[0])
    every = every_look_rule(alpha, even, design.looks[0])
    yield "every look", bool(judge(fits, every, 0.0, 0.0).alarm[0])


def _row(name: str, hits: int, runs: int, alpha: float, *, held: bool) -> Row:
    """Return a row; `as_it_must` says whether the rule behaved, None where it is only told."""
    low, high = wilson(hits, runs)
    strict = wilson(hits, runs, STRICT_Z)[0]
    rises = strict > alpha
    must = name != SHIPPED
    return {
        "rule": name,
        "alarms": hits,
        "runs": runs,
        "rate": hits / runs,
        "low": low,
        "high": high,
        "meant": alpha,
        "as_it_must": (rises if must else not rises) if held else None,
    }


def _print(rows: list[Row]) -> None:
    print(
        f"{'rule':12} {'false alarms':>14} {'95% interval':>17} {'meant':>7}  {'':16} what is wrong with it"
    )
    for row in rows:
        told = {True: "as it must", False: "NOT AS IT MUST", None: ""}[row["as_it_must"]]
        why = WRONG.get(row["rule"], "nothing: must keep what was meant")
        print(
            "{rule:12} {rate:6.1%} {alarms:>4}/{runs:<5}{low:6.1%} to {high:6.1%} {meant:7.1%}".format(**row)
            + f"  {told:16} {why}"
        )


def _options(argv: list[str] | None) -> argparse.Namespace:
    lines = (__doc__ or "").split("\n\n", 1)
    parser = argparse.ArgumentParser(
        description=lines[0], epilog=lines[1], formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", nargs="+", type=Path, metavar="FOLDER", help="real runs, by their folders")
    parser.add_argument("--experiments", type=int, default=2_000, help="simulated runs (%(default)s)")
    parser.add_argument("--alpha", type=float, default=0.01, help="what is meant (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the simulation (%(default)s)")
    parser.add_argument("--no-save", action="store_true", help="print only")
    return parser.parse_args(argv)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (LoadstoneError, OSError, ValueError) as error:
        sys.exit(f"controls: {error}")
