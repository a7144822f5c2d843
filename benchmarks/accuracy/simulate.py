"""How often is a verdict wrong, on simulated hosts whose truth is known?

For each scenario and effect: how often one contrast, and a gate of four, detects a
difference when nothing but detection ends a run (at effect 0: false alarms); how often
the repeated intervals cover the truth at all looks; and, stopping at any verdict, how
many generations that takes and how often it is *equivalent*. Wrong ways of judging run alongside and must
fail.

Example:
    python benchmarks/accuracy/simulate.py --experiments 20000
    python benchmarks/accuracy/simulate.py --quick --scenario ar1 --no-save
"""

from __future__ import annotations

import argparse
import sys
import zlib
from typing import Any

import numpy as np
from judging import FloatArray, Outcome, control_alarms, judge, start_contrasts
from ledger import append, wilson
from noise import SCENARIOS, STRESS

from loadstone.stats.sequential import Design, Spending, bonferroni, even_looks, plan
from loadstone.stats.verdicts import log_margin

GATE = 4
EFFECTS = (0.0, 0.0025, 0.005, 0.01, 0.02)
BATCH = 20_000
CONTROLS = ("z", "every-look", "fixed-order")
Row = dict[str, Any]


def main(argv: list[str] | None = None) -> int:
    """Simulate, print a table, append the rows; 1 where a rate exceeds what was promised."""
    options = _options(argv)
    experiments = 2_000 if options.quick else options.experiments
    design = plan(
        even_looks(options.generations), bonferroni(options.alpha, GATE), Spending(options.spending)
    )
    rows: list[Row] = []
    for name in options.scenario or SCENARIOS:
        print(f"simulating {name}: {experiments} gates of {GATE} contrasts", file=sys.stderr, flush=True)
        rows += _scenario(name, experiments, design, log_margin(options.margin), options)
    _print(rows)
    if not options.no_save:
        print(f"appended to {append('simulate', rows)}", file=sys.stderr)
    broken = [row for row in rows if not row["kept"]]
    for row in broken:
        print(f"not as promised: {row['scenario']} {row['rule']} effect {row['effect']}", file=sys.stderr)
    return 1 if broken else 0


def _scenario(
    name: str, experiments: int, design: Design, margin: float, options: argparse.Namespace
) -> list[Row]:
    """Simulate noise once, add each effect to it, and judge."""
    d, s = _noise(name, experiments * GATE, design.maximum, options.seed)
    common = {"scenario": name, "seed": options.seed, "looks": design.looks, "alpha": design.alpha}
    common |= {"gate_alpha": options.alpha, "margin": options.margin, "spending": str(design.spending)}
    rows = []
    for effect in EFFECTS:
        truth = float(np.log1p(effect))
        detecting = judge(d + truth, s, design, 0.0, truth)
        stopping = judge(d + truth, s, design, margin, truth)
        summary = _detection(detecting) | _verdicts(stopping, margin)
        rows.append({**common, "rule": "shipped", "effect": effect, **summary})
        rows[-1]["kept"] = name in STRESS or _kept(rows[-1], options.alpha, design.alpha)
    if name == "gaussian":
        for kind in CONTROLS:
            rows.append({**common, "rule": kind, "effect": 0.0, **_rate(control_alarms(d, s, design, kind))})
            rows[-1]["kept"] = rows[-1]["low"] > design.alpha
    return rows


def _noise(name: str, experiments: int, generations: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """Return d and s of one scenario, in batches that fit in memory."""
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    parts = []
    for start in range(0, experiments, BATCH):
        s = start_contrasts(rng, min(BATCH, experiments - start), generations)
        parts.append((SCENARIOS[name](rng, s), s))
    return np.concatenate([d for d, _ in parts]), np.concatenate([s for _, s in parts])


def _detection(outcome: Outcome) -> Row:
    """Return rates over contrasts, and over gates of `GATE` contrasts."""
    gates = outcome.alarm.reshape(-1, GATE).any(axis=1)
    gate_low, gate_high = wilson(int(gates.sum()), gates.size)
    missed = int(outcome.ever_missed.sum())
    miss_low, miss_high = wilson(missed, outcome.alarm.size)
    return {
        **_rate(outcome.alarm),
        "detection_generations": float(outcome.generations.mean()),
        "gates": int(gates.size),
        "gate_rate": float(gates.mean()),
        "gate_low": gate_low,
        "gate_high": gate_high,
        "coverage": 1.0 - missed / outcome.alarm.size,
        "coverage_low": 1.0 - miss_high,
        "coverage_high": 1.0 - miss_low,
    }


def _verdicts(outcome: Outcome, margin: float) -> Row:
    """Return what runs that stop at any verdict say, and after how many generations on average."""
    equivalent = (outcome.low >= -margin) & (outcome.high <= margin)
    undecided = ~outcome.alarm & ~equivalent
    return {
        "verdict_generations": float(outcome.generations.mean()),
        "equivalent": float(equivalent.mean()),
        "improved_or_regressed": float((outcome.alarm & ~equivalent).mean()),
        "inconclusive": float(undecided.mean()),
    }


def _rate(alarm: np.ndarray[Any, np.dtype[np.bool_]]) -> Row:
    low, high = wilson(int(alarm.sum()), alarm.size)
    return {"experiments": int(alarm.size), "detected": float(alarm.mean()), "low": low, "high": high}


def _kept(row: Row, gate_alpha: float, alpha: float) -> bool:
    """Say whether the rates are compatible with the promise (95% Wilson, lower end)."""
    quiet = row["effect"] != 0.0 or (row["gate_low"] <= gate_alpha and row["low"] <= alpha)
    return quiet and row["coverage_high"] >= 1.0 - alpha


def _print(rows: list[Row]) -> None:
    heads = (
        "scenario",
        "rule",
        "effect",
        "detected",
        "95% interval",
        "gate",
        "covers",
        "gen.",
        "equivalent",
        "gen.",
    )
    print("{:22} {:12} {:>7} {:>9} {:>17} {:>8} {:>8} {:>6} {:>10} {:>6}".format(*heads))
    for row in rows:
        line = f"{row['scenario']:22} {row['rule']:12} {row['effect']:7.2%} {row['detected']:9.3%} "
        line += f"{row['low']:8.3%}-{row['high']:8.3%}"
        if "gate_rate" in row:
            line += f" {row['gate_rate']:8.2%} {row['coverage']:8.2%} {row['detection_generations']:6.1f}"
            line += f" {row['equivalent']:10.2%} {row['verdict_generations']:6.1f}"
        print(line)


def _options(argv: list[str] | None) -> argparse.Namespace:
    lines = (__doc__ or "").split("\n\n", 1)
    parser = argparse.ArgumentParser(
        description=lines[0], epilog=lines[1], formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--experiments", type=int, default=20_000, help="gates per scenario (%(default)s)")
    parser.add_argument(
        "--scenario", action="append", choices=sorted(SCENARIOS), help="only these; repeatable"
    )
    parser.add_argument("--generations", type=int, default=16, help="of the longest run (%(default)s)")
    parser.add_argument("--alpha", type=float, default=0.01, help="false-alarm rate of a gate (%(default)s)")
    parser.add_argument(
        "--margin", type=float, default=0.02, help="smallest change that matters (%(default)s)"
    )
    parser.add_argument("--spending", choices=[str(kind) for kind in Spending], default="hwang-shih-decani")
    parser.add_argument("--seed", type=int, default=1, help="of the simulation (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="2,000 gates per scenario, for CI")
    parser.add_argument("--no-save", action="store_true", help="print only")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
