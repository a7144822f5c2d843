"""Where does the noise come from, and what does each measure against it buy?

Compares a variant with itself under each *setting* in turn, in random order,
round after round, so that all settings see the same host. For each it pools the
residual variance of d_g over the runs, and prints the SD per generation, the SD of
a single pair, what a generation cost in wall time, and the ratio of the time that
it needs for a given precision to that of the shipped setting.

Example:
    python benchmarks/accuracy/sources.py --rounds 3
    python benchmarks/accuracy/sources.py --rounds 6 --setting shipped --setting unbound
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from ledger import append, machine, stored

from loadstone.stats.inference import contrasts, fit
from loadstone.verdict.assemble import Sealed, read_sealed
from loadstone.verdict.contrasts import start_positions
from loadstone.verdict.levels import Observations, levels
from loadstone.verdict.metrics import BY_NAME

NAME = "sources"
METRICS = ("latency_mean", "latency_p50", "latency_p95", "cpu")
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Setting:
    """How to start a comparison."""

    words: tuple[str, ...] = ()
    wrapper: tuple[str, ...] = ()
    what: str = ""


SETTINGS = {
    "shipped": Setting(what="two tracks, each on a core of its own; pace sampled; hash seeds alike"),
    "unbound": Setting(("--no-pin", "--tracks", "1"), what="one track, wherever the kernel likes; no pace"),
    "one-track": Setting(("--tracks", "1"), what="servers on one core, generator on the other"),
    "own-seeds": Setting(("--no-steady",), what="every server draws a hash seed of its own"),
    "fixed-layout": Setting(wrapper=("setarch", "-R"), what="address space layout not randomised"),
}


def main(argv: list[str] | None = None) -> int:
    """Run the rounds, append a row a run, print the table over all stored rows of this machine."""
    options = _options(argv)
    names = options.setting or list(SETTINGS)
    for number in range(options.rounds):
        for name in random.sample(names, len(names)):
            print(f"round {number + 1} of {options.rounds}: {name}", file=sys.stderr, flush=True)
            append(NAME, [_run(name, options, int(time.time()))])
    here = machine()["fingerprint"]
    _print(
        [
            row
            for row in stored(NAME)
            if row["machine"]["fingerprint"] == here and row["choice"] == options.choice
        ]
    )
    return 0


def measured_rows(sealed: Sealed) -> Row:
    """Return what one run says: residual sums of squares by metric, with and without the pace."""
    seen = sealed.observations
    count = seen.count - seen.count % 2
    found: Row = {"generations": count, "pairs": float(np.mean([one.line.pairs for one in seen.generations]))}
    for kind, observations in (("at pace", seen), ("as recorded", _as_recorded(seen))):
        for metric in METRICS:
            table = levels(observations, BY_NAME[metric], None)[:count]
            d, s = contrasts(table, start_positions(sealed.plan, seen.count)[:count])
            fitted = fit(d[:, 0], s[:, 0])
            found[f"{metric} {kind}"] = {
                "estimate": fitted.estimate,
                "start": fitted.start_effect,
                "squares": fitted.residual_sd**2 * fitted.df,
                "df": fitted.df,
            }
    found["explained"] = seen.pace.explained
    found["start_to_start_s"] = sealed.plan.budget_s / sealed.plan.max_generations
    return found


def _as_recorded(seen: Observations) -> Observations:
    bare = []
    for one in seen.generations:
        cpu = one.rows["cpu_us"].astype(np.float64) if one.cpu_us is not None else None
        bare.append(replace(one, latency_us=one.rows["service_us"].astype(np.float64), cpu_us=cpu))
    return replace(seen, generations=bare)


def _run(name: str, options: argparse.Namespace, seed: int) -> Row:
    setting = SETTINGS[name]
    words = [options.choice, options.choice, "--allow-identical", "--quiet", "--margin", "0.01%"]
    words += ["--seed", str(seed), "--generations", str(options.generations), "--budget", options.budget]
    with tempfile.TemporaryDirectory(prefix="loadstone-sources-") as folder:
        command = [*setting.wrapper, sys.executable, "-m", "loadstone", "compare", *words, *setting.words]
        begin = time.monotonic()
        ran = subprocess.run([*command, "--reports", folder], check=False, capture_output=True)
        seconds = time.monotonic() - begin
        runs = list(Path(folder).iterdir())
        common = {"setting": name, "choice": options.choice, "seed": seed, "exit_code": ran.returncode}
        if not runs:
            return {**common, "error": ran.stderr.decode(errors="replace")[-500:]}
        return {**common, "seconds": seconds, **measured_rows(read_sealed(runs[0]))}


def _print(rows: list[Row]) -> None:
    pools: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if "generations" in row:
            pools[row["setting"]].append(row)
    print(
        f"{'setting':14} {'runs':>4} {'mean':>7} {'(raw)':>7} {'p50':>7} {'cpu':>7} {'(raw)':>7} "
        f"{'p95':>7} {'start':>7} {'s each':>7} {'time':>6}  what"
    )
    reference = None
    for name, setting in SETTINGS.items():
        if name not in pools:
            continue
        own = pools[name]
        sd = {key: _pooled(own, key) for key in own[0] if key.endswith(("at pace", "as recorded"))}
        each_s = sum(row["seconds"] for row in own) / sum(row["generations"] for row in own)
        cost = sd["latency_mean at pace"] ** 2 * each_s
        reference = reference or cost
        start = float(np.mean([abs(row["latency_mean as recorded"]["start"]) for row in own]))
        cells = ("latency_mean at pace", "latency_mean as recorded", "latency_p50 at pace", "cpu at pace")
        told = " ".join(f"{sd[key]:7.2%}" for key in (*cells, "cpu as recorded", "latency_p95 as recorded"))
        told += f" {start:7.2%} {each_s:7.1f} {cost / reference:5.1f}x"
        print(f"{name:14} {len(own):4} {told}  {setting.what}")


def _pooled(rows: list[Row], key: str) -> float:
    """Return the residual SD pooled over runs."""
    return float(np.sqrt(sum(row[key]["squares"] for row in rows) / sum(row[key]["df"] for row in rows)))


def _options(argv: list[str] | None) -> argparse.Namespace:
    lines = (__doc__ or "").split("\n\n", 1)
    parser = argparse.ArgumentParser(
        description=lines[0], epilog=lines[1], formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=1, help="runs of each setting (%(default)s)")
    parser.add_argument("--setting", action="append", choices=list(SETTINGS), help="only these; repeatable")
    parser.add_argument("--choice", default="orm=prefetch", help="on both sides (%(default)s)")
    parser.add_argument("--generations", type=int, default=8, help="of each run (%(default)s)")
    parser.add_argument("--budget", default="50s", help="of each run (%(default)s)")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
