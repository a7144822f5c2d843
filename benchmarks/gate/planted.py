"""What `loadstone history` finds in 200 synthetic runs with two planted changes.

    python benchmarks/gate/planted.py
    python benchmarks/gate/planted.py --noise 2% --seed 7

+4% from run 70 on and −3% from run 140 on; noise of 1% a run; from run 100 on another machine, twice
as fast; from run 120 on a newer base, which is the head of run 110.
"""

from __future__ import annotations

import argparse
import math
import random
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from loadstone.config.units import parse_share
from loadstone.record.history import HistoryRow, append

RUNS, CHANGES = 200, ((70, 0.04), (140, -0.03))
MOVED, REBASED, NEW_BASE = 100, 120, 110
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def main() -> int:
    """Write the store, and show it with the command as it is shipped."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--noise", default="1%", help="standard deviation of a run's log-ratio")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    draw, noise = random.Random(asked.seed), parse_share(asked.noise)
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "planted.jsonl"
        append(store, [synthetic(index, draw.gauss(0.0, noise), noise) for index in range(RUNS)])
        for at, change in CHANGES:
            print(f"planted: {math.expm1(change):+.1%} from run {at} on (commit {at})", flush=True)
        words = [sys.executable, "-m", "loadstone", "history", "--store", str(store)]
        return subprocess.run(words, check=False).returncode


def synthetic(index: int, noise: float, sd: float) -> HistoryRow:
    """Return one run: commit `index` against the base of its time."""
    old = index < REBASED
    estimate = math.expm1(level(index) - (0.0 if old else level(NEW_BASE)) + noise)
    before = 10_000.0 if index < MOVED else 5_000.0
    return HistoryRow(
        run=f"run-{index:03}",
        at=(BEGIN + timedelta(hours=6 * index)).isoformat(),
        experiment="browse.py small pair",
        machine="one" if index < MOVED else "two",
        base="release" if old else f"{NEW_BASE:03}",
        head=f"{index:03}",
        subject=f"commit {index}",
        metric="latency_mean",
        endpoint="",
        unit="us",
        kind="ratio",
        before=before,
        after=before * (1 + estimate),
        estimate=estimate,
        low=estimate - 2 * sd,
        high=estimate + 2 * sd,
        p_value=0.5,
    )


def level(index: int) -> float:
    """Return the planted log level of a commit."""
    return sum(change for at, change in CHANGES if index >= at)


if __name__ == "__main__":
    sys.exit(main())
