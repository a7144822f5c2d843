"""Are the boundaries as exact as they claim? Simulated crossing rates over looks, alphas and spendings.

Example:
    python benchmarks/accuracy/calibrate.py --experiments 1000000
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import numpy as np
from judging import judge, running_fits, sequential_rule, start_contrasts
from ledger import append, wilson
from progress import say, steps

from loadstone.stats.boundaries import crossing_probability
from loadstone.stats.sequential import Design, Spending, even_looks, plan

LOOKS = ((6, 8, 10, 12, 14, 16), (6, 10, 24), (6,), (8, 16), even_looks(40))
ALPHAS = (0.0001, 0.0025, 0.01, 0.05, 0.2)
BATCH = 50_000
_Z = 3.29
"""Of 50 designs one in a thousand each: a Wilson interval of 99.9%."""


def main(argv: list[str] | None = None) -> int:
    """Print a row a design, append them; 1 where a rate is above its alpha beyond chance."""
    lines = (__doc__ or "").split("\n\n", 1)
    parser = argparse.ArgumentParser(
        description=lines[0], epilog=lines[1], formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--experiments", type=int, default=200_000, help="per design (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the simulation (%(default)s)")
    parser.add_argument("--no-save", action="store_true", help="print only")
    options = parser.parse_args(argv)
    rows = []
    with steps(len(LOOKS)) as step:
        for looks in LOOKS:
            step(f"{options.experiments} experiments, looks after {', '.join(map(str, looks))} generations")
            designs = [plan(looks, alpha, spending) for alpha in ALPHAS for spending in Spending]
            rows += _simulate(designs, options.experiments, options.seed)
    for row in rows:
        print("{spending:18} alpha {alpha:<6} {rate:.6f} [{low:.6f}, {high:.6f}] looks {looks}".format(**row))
    if not options.no_save:
        say(f"appended to {append('calibrate', rows)}")
    return 1 if any(row["low"] > row["alpha"] for row in rows) else 0


def _simulate(designs: list[Design], experiments: int, seed: int) -> list[dict[str, Any]]:
    """Judge the same normal noise by all designs of equal looks."""
    rng = np.random.default_rng(seed)
    hits = dict.fromkeys(designs, 0)
    for start in range(0, experiments, BATCH):
        s = start_contrasts(rng, min(BATCH, experiments - start), designs[0].maximum)
        fits = running_fits(rng.standard_normal(s.shape), s)
        for design in designs:
            hits[design] += int(judge(fits, sequential_rule(design), 0.0, 0.0).alarm.sum())
    return [_row(design, count, experiments, seed) for design, count in hits.items()]


def _row(design: Design, hits: int, experiments: int, seed: int) -> dict[str, Any]:
    low, high = wilson(hits, experiments, _Z)
    return {
        "looks": design.looks,
        "alpha": design.alpha,
        "spending": str(design.spending),
        "nominal_p": design.nominal_p,
        "computed": crossing_probability(design.looks, design.nominal_p),
        "experiments": experiments,
        "seed": seed,
        "rate": hits / experiments,
        "low": low,
        "high": high,
    }


if __name__ == "__main__":
    sys.exit(main())
