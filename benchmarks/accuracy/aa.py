"""How often does a real run of two identical variants raise an alarm?

Runs `loadstone compare X X --allow-identical` on the reference app, with a new seed
each time, and counts: any gating metric that detects a difference is an alarm.
Appends a line per run to the ledger and prints, over all runs stored there for the
same settings and any machine, k alarms in n with the 95% upper bound, never more
than that supports.

Example:
    python benchmarks/accuracy/aa.py --runs 10
    python benchmarks/accuracy/aa.py --runs 20 --choice orm=naive --budget 3m
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from typing import Any

from ledger import append, stored

from loadstone.stats.special import beta_quantile

NAME = "aa"
CONFIDENCE = 0.95
Row = dict[str, Any]


def main(argv: list[str] | None = None) -> int:
    """Run, append, print; 0 whatever the counts are."""
    options = _options(argv)
    first = options.seed or int(time.time()) % 1_000_000
    for number in range(options.runs):
        print(f"run {number + 1} of {options.runs}", file=sys.stderr, flush=True)
        append(NAME, [_run(options, first + number)])
    rows = [row for row in stored(NAME) if _alike(row, options)]
    _print(rows)
    return 0


def upper_bound(alarms: int, runs: int, confidence: float = CONFIDENCE) -> float:
    """Return the one-sided Clopper-Pearson upper bound of the alarm rate."""
    return 1.0 if alarms >= runs else float(beta_quantile(alarms + 1, runs - alarms, confidence))


def _run(options: argparse.Namespace, seed: int) -> Row:
    words = [
        options.choice,
        options.choice,
        "--allow-identical",
        "--seed",
        str(seed),
        "--budget",
        options.budget,
    ]
    if options.size:
        words += ["--size", options.size]
    ran = subprocess.run(
        [sys.executable, "-m", "loadstone", "compare", *words, "--json", "-", "--quiet"],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    result = json.loads(ran.stdout)
    gating = [one for one in result["contrasts"] if one["gating"] and one["available"]]
    return {
        "choice": options.choice,
        "budget": options.budget,
        "size": options.size or "default",
        "seed": seed,
        "exit_code": ran.returncode,
        "verdict": result["verdict"]["verdict"],
        "generations": len(result["generations"]),
        "duration_s": result["run"]["duration_s"],
        "alarm": any(one["detected"] for one in gating),
        "metrics": {
            one["metric"]: {
                "verdict": one["verdict"],
                "estimate": one["effect"]["estimate"],
                "low": one["effect"]["low"],
                "high": one["effect"]["high"],
                "residual_sd": one["residual_sd"],
            }
            for one in gating
        },
    }


def _alike(row: Row, options: argparse.Namespace) -> bool:
    wanted = (options.choice, options.budget, options.size or "default")
    return (row["choice"], row["budget"], row["size"]) == wanted


def _print(rows: list[Row]) -> None:
    alarms = sum(row["alarm"] for row in rows)
    bound = upper_bound(alarms, len(rows))
    print(f"alarms: {alarms} of {len(rows)} runs, at most {bound:.1%} with 95% confidence")
    print(
        "verdicts:",
        ", ".join(f"{count} {name}" for name, count in Counter(r["verdict"] for r in rows).items()),
    )
    for metric in sorted({name for row in rows for name in row["metrics"]}):
        seen = [row["metrics"][metric] for row in rows if metric in row["metrics"]]
        told = ", ".join(f"{count} {name}" for name, count in Counter(one["verdict"] for one in seen).items())
        deviations = [one["residual_sd"] for one in seen]
        middle = sorted(deviations)[len(deviations) // 2]
        print(f"  {metric}: {told}; median residual SD {middle:.2%}")
    print(f"median run: {sorted(row['duration_s'] for row in rows)[len(rows) // 2]:.0f} s")


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--choice", default="orm=prefetch", help="the choice on both sides")
    parser.add_argument("--budget", default="2m")
    parser.add_argument("--size", default=None)
    parser.add_argument("--seed", type=int, default=0, help="seed of the first run; by default a new one")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
