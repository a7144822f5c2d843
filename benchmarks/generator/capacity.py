"""Do two searches find the same capacity? `python benchmarks/generator/capacity.py [orm=prefetch]`.

The same variant is searched twice, each time by a whole run of `loadstone capacity` on
fresh starts, one run after the other and each with random streams of its own. The two
capacities must agree within 10%. With `--paced` the target is a server that serves 200
requests/s whatever the machine, so that what is left is the noise of the search itself.
Each couple appends a row, with the machine it came from, to `data/capacity.jsonl`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
DATA = HERE / "data" / "capacity.jsonl"
AGREE = 0.10
KEPT = ("bound", "rps", "low_rps", "high_rps", "searches", "knee_rps")


def main() -> int:
    """Search twice and print both; the exit status tells whether they agree."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("variant", nargs="?", default="orm=prefetch")
    parser.add_argument("--slo", default="p99<200ms, errors<0.1%")
    parser.add_argument("--budget", default="4m", help="of each search")
    parser.add_argument("--window", help="length of a window")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--seed", type=int, default=1, help="of the first search; the second has the next one"
    )
    parser.add_argument("--scenario", help="Locust file, or the name of one in scenarios/")
    parser.add_argument("--config", type=Path, default=ROOT / "loadstone.toml")
    parser.add_argument("--paced", action="store_true", help="search a server of known capacity instead")
    parser.add_argument("--reports", type=Path, default=ROOT / "reports", help="folder of runs")
    options = parser.parse_args()
    if options.paced:
        options.config, options.variant = HERE / "paced" / "loadstone.toml", "pace=5ms"
    found = [search(options, options.seed + place) for place in range(2)]
    row = told(options, found)
    append(row)
    print(f"{options.variant} at {options.slo}, {options.budget} each")
    for number, one in enumerate(row["searches"], start=1):
        interval = f"{one['low_rps']:.1f} to {one['high_rps']:.1f}" if one["low_rps"] else "no interval"
        rps = f"{one['rps']:>8.1f}/s" if one["rps"] else f"{'–':>10}"
        print(f"search {number}: {rps}  {interval:>18}  {one['searches']} times  {one['bound']}")
    if row["ratio"] is None:
        print("one of both found no capacity: nothing can be compared")
        return 1
    print(f"ratio {row['ratio']:.3f}: {'within' if row['agree'] else 'NOT within'} {AGREE:.0%}")
    return int(not row["agree"])


def search(options: argparse.Namespace, seed: int) -> dict[str, Any]:
    """Return the result of one run."""
    argv = [sys.executable, "-m", "loadstone", "capacity", options.variant, "--slo", options.slo]
    argv += ["--budget", options.budget, "--repeats", str(options.repeats), "--seed", str(seed)]
    argv += ["--config", str(options.config), "--json", "-"]
    argv += ["--window", options.window] if options.window else []
    argv += ["--scenario", options.scenario] if options.scenario else []
    argv += ["--reports", str(options.reports)]
    ran = subprocess.run(argv, stdout=subprocess.PIPE, check=False)
    if not ran.stdout:
        sys.exit(f"loadstone capacity ended with {ran.returncode} and no result")
    result: dict[str, Any] = json.loads(ran.stdout)
    return result


def told(options: argparse.Namespace, found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the row of two searches."""
    estimates = [one["estimates"][0] for one in found]
    both = all(one["bound"] == "found" for one in estimates)
    ratio = estimates[1]["rps"] / estimates[0]["rps"] if both else None
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "variant": options.variant,
        "slo": options.slo,
        "target": options.config.resolve().parent.name,
        "budget": options.budget,
        "repeats": options.repeats,
        "seed": options.seed,
        "searches": [{name: one[name] for name in KEPT} for one in estimates],
        "windows": [len(one["windows"]) for one in found],
        "invalid": [sum(each["trial"] == "invalid" for each in one["windows"]) for one in found],
        "ratio": ratio,
        "agree": ratio is not None and 1 / (1 + AGREE) <= ratio <= 1 + AGREE,
    }


def append(row: dict[str, Any]) -> None:
    """Keep a row."""
    DATA.parent.mkdir(exist_ok=True)
    with DATA.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def machine() -> dict[str, str | int]:
    """Return what tells this machine from another."""
    facts: dict[str, str | int] = {
        "cores": os.cpu_count() or 0,
        "system": f"{platform.system()} {platform.machine()}",
        "kernel": platform.release(),
        "python": platform.python_version(),
    }
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]
    return {"fingerprint": digest, **facts}


if __name__ == "__main__":
    sys.exit(main())
