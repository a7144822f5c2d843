"""How often is a verdict wrong, on simulated hosts whose truth is known?

For each kind of host, length of a run, rule and effect: how often one contrast, and a gate of four, detects
a difference when nothing but detection ends a run (at effect 0: false alarms); how
often the intervals cover the truth at all looks together; and, stopping at any
verdict, how many generations that takes and how often it is *equivalent*. The rules
are the shipped group-sequential one, looked at after every second generation from 6,
and the anytime-valid one, looked at after every generation from 3.

Ends with 1 when a rate exceeds its promise by more than chance explains (one-sided,
1 in 2,000 for each row). Rules that must fail are in controls.py.

Examples:
    python benchmarks/accuracy/simulate.py
    python benchmarks/accuracy/simulate.py --quick --scenario ar1 --generations 12 --no-save
    python benchmarks/accuracy/simulate.py --noise 4 --scenario gaussian --no-save
"""

from __future__ import annotations

import argparse
import sys
import zlib
from typing import Any

import numpy as np
from judging import (
    FloatArray,
    Outcome,
    anytime_rule,
    hold_against_shipped,
    judge,
    running_fits,
    sequential_rule,
    start_contrasts,
)
from ledger import append, wilson
from noise import SCENARIOS, SPANNING, STRESS
from progress import say, steps

from loadstone.stats.sequential import Spending, bonferroni, even_looks, plan
from loadstone.stats.verdicts import log_margin

GATE = 4
EFFECTS = (0.0, 0.0025, 0.005, 0.01, 0.02)
GENERATIONS = (12, 24, 40, 60)
"""Default plans have 12 to 40; 60 is beyond."""
BATCH = 20_000
QUICK = 2_000
STRICT_Z = 3.29
"""Some two hundred rows are held to a promise: each by Wilson's interval of 99.9%."""
Row = dict[str, Any]


def main(argv: list[str] | None = None) -> int:
    """Simulate, print a table, append the rows; 1 where a rate exceeds what was promised."""
    options = _options(argv)
    experiments = QUICK if options.quick else options.experiments
    lengths = sorted(options.generations or GENERATIONS)
    names = options.scenario or list(SCENARIOS)
    rows: list[Row] = []
    with steps(len(names) * len(lengths)) as step:
        for name in names:
            known: tuple[FloatArray, FloatArray] | None = None
            for length in reversed(lengths):
                step(f"{name}: {experiments} gates of {GATE} contrasts, {length} generations")
                if known is None or name in SPANNING:
                    known = _noise(name, experiments * GATE, length, options)
                rows += _judged(name, known[0][:, :length], known[1][:, :length], options)
    _print(rows)
    if not options.no_save:
        say(f"appended to {append('simulate', rows)}")
    broken = [row for row in rows if not row["kept"]]
    for row in broken:
        say("not as promised: {scenario}, {rule}, {maximum} generations, effect {effect:.2%}".format(**row))
    return 1 if broken else 0


def _judged(name: str, d: FloatArray, s: FloatArray, options: argparse.Namespace) -> list[Row]:
    """Judge one noise by both rules, with each effect added to it."""
    margin, maximum = log_margin(options.margin), d.shape[1]
    design = plan(even_looks(maximum), bonferroni(options.alpha, GATE), Spending(options.spending))
    common = {"scenario": name, "seed": options.seed, "maximum": maximum, "alpha": design.alpha}
    common |= {"gate_alpha": options.alpha, "margin": options.margin, "noise": options.noise}
    fits, rows = running_fits(d, s), []
    for rule in (sequential_rule(design), anytime_rule(design.alpha, maximum)):
        hold_against_shipped(d, s, rule, design, margin)
        for effect in EFFECTS:
            truth = float(np.log1p(effect))
            found = _detection(judge(fits, rule, truth, 0.0)) | _verdicts(
                judge(fits, rule, truth, margin), margin
            )
            rows.append({**common, "rule": rule.name, "effect": effect, **found})
            rows[-1]["kept"] = name in STRESS or _kept(rows[-1], options.alpha, design.alpha)
    return rows


def _noise(
    name: str, experiments: int, generations: int, options: argparse.Namespace
) -> tuple[FloatArray, FloatArray]:
    """Return d and s of one scenario, in batches that fit in memory."""
    rng = np.random.default_rng([options.seed, zlib.crc32(name.encode())])
    parts = []
    for start in range(0, experiments, BATCH):
        s = start_contrasts(rng, min(BATCH, experiments - start), generations)
        parts.append((options.noise * SCENARIOS[name](rng, s), s))
    return np.concatenate([d for d, _ in parts]), np.concatenate([s for _, s in parts])


def _detection(outcome: Outcome) -> Row:
    """Return rates over contrasts, and over gates of `GATE` contrasts."""
    gates = int(outcome.alarm.reshape(-1, GATE).any(axis=1).sum())
    missed, contrasts = int(outcome.ever_missed.sum()), outcome.alarm.size
    low, high = wilson(int(outcome.alarm.sum()), contrasts)
    gate_low, gate_high = wilson(gates, contrasts // GATE)
    miss_low, miss_high = wilson(missed, contrasts)
    return {
        "experiments": contrasts,
        "alarms": int(outcome.alarm.sum()),
        "detected": float(outcome.alarm.mean()),
        "low": low,
        "high": high,
        "detection_generations": float(outcome.generations.mean()),
        "gates": contrasts // GATE,
        "gate_alarms": gates,
        "gate_rate": gates * GATE / contrasts,
        "gate_low": gate_low,
        "gate_high": gate_high,
        "missed": missed,
        "coverage": 1.0 - missed / contrasts,
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


def _kept(row: Row, gate_alpha: float, alpha: float) -> bool:
    """Say whether the rates are compatible with the promise."""

    def within(count: int, trials: int, promised: float) -> bool:
        return wilson(count, trials, STRICT_Z)[0] <= promised

    covers = within(row["missed"], row["experiments"], alpha)
    if row["effect"] != 0.0:
        return covers
    gate = within(row["gate_alarms"], row["gates"], gate_alpha)
    return covers and gate and within(row["alarms"], row["experiments"], alpha)


def _print(rows: list[Row]) -> None:
    """Print a line for each noise, rule and length; the stored rows say more."""
    effects = " ".join(f"{effect:7.2%}" for effect in EFFECTS[1:])
    print(f"{'':46} false alarms {'':20} detected, by effect {'':14} generations until a verdict, by effect")
    print(
        f"{'scenario':22} {'rule':18} gen.  one contrast, 95%       gate  covers "
        f"{effects}  {0:7.2%} {effects}"
    )
    for start in range(0, len(rows), len(EFFECTS)):
        group = rows[start : start + len(EFFECTS)]
        line = "{scenario:22} {rule:18} {maximum:4d} {detected:7.3%} [{low:6.3%},{high:7.3%}]".format(
            **group[0]
        )
        line += " {gate_rate:6.2%} {coverage:7.2%} ".format(**group[0])
        line += " ".join(f"{row['detected']:7.2%}" for row in group[1:]) + "  "
        print(line + " ".join(f"{row['verdict_generations']:7.1f}" for row in group))


def _options(argv: list[str] | None) -> argparse.Namespace:
    lines = (__doc__ or "").split("\n\n", 1)
    parser = argparse.ArgumentParser(
        description=lines[0], epilog=lines[1], formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--experiments", type=int, default=20_000, help="gates per scenario (%(default)s)")
    parser.add_argument(
        "--scenario", action="append", choices=sorted(SCENARIOS), help="only these; repeatable"
    )
    parser.add_argument(
        "--generations", action="append", type=int, help=f"of the longest run; repeatable {GENERATIONS}"
    )
    parser.add_argument("--alpha", type=float, default=0.01, help="false-alarm rate of a gate (%(default)s)")
    parser.add_argument(
        "--margin", type=float, default=0.02, help="smallest change that matters (%(default)s)"
    )
    parser.add_argument(
        "--noise", type=float, default=1.0, help="multiply the noise: 1 is an SD of 0.38%% a generation"
    )
    parser.add_argument("--spending", choices=[str(kind) for kind in Spending], default="hwang-shih-decani")
    parser.add_argument("--seed", type=int, default=1, help="of the simulation (%(default)s)")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK:,} gates per scenario, for CI")
    parser.add_argument("--no-save", action="store_true", help="print only")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
