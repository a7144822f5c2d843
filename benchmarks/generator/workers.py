"""Do several workers make one generator? `python benchmarks/generator/workers.py [--rate 1600]`.

The same plan is offered to a server that does nothing by 1, 2, 4 and 8 workers: what the
workers say that they sent must be what their merged record holds, and what the plan
says. Then one of them is killed with SIGKILL in mid-run: what is reported of it, and
whether everything still adds up. `--through-locust` lets the workers come through
Locust's master and worker connection, as those of other hosts do. Each row is appended,
with the machine it came from, to `data/workers.jsonl`; the exit status is 1 where
anything does not add up.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from offering import TOKEN, child

from loadstone.config.crew import TOKEN_VARIABLE, Crew
from loadstone.record.recording import Recording
from loadstone.workload.crew_start import start_crew
from loadstone.workload.load_protocol import BlockDone, OpenSides, RunBlock, Second
from loadstone.workload.load_remote import LoadGenerator
from loadstone.workload.load_sum import LOST
from loadstone.workload.protocol import Side

HERE = Path(__file__).parent
DATA = HERE / "data" / "workers.jsonl"
WORKERS = (1, 2, 4, 8)
KILLED_AT_S = 2
HEAD = (
    f"{'workers':>7} {'planned':>8} {'by workers':>10} {'merged':>8} {'lost':>6} {'sum':>9}"
    f" {'lag p99':>9} {'CPU each':>9}"
)


def main() -> int:
    """Print a table, and a paragraph about each killed worker."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rate", type=int, default=1600)
    parser.add_argument("--seconds", type=int, default=6)
    parser.add_argument("--workers", type=int, nargs="*", default=WORKERS)
    parser.add_argument("--through-locust", action="store_true")
    parser.add_argument("--keep", action=argparse.BooleanOptionalAction, default=True, help="append to data/")
    options = parser.parse_args()
    print(f"{options.rate}/s for {options.seconds} s, then again with one killed at {KILLED_AT_S} s")
    print(HEAD)
    wrong = False
    with child(["-m", "loadstone.workload.null_server"]) as port:
        for workers in options.workers:
            for kill in (False, True)[: 1 + (workers > 1)]:
                row = measure(f"http://127.0.0.1:{port}", workers, options, kill=kill)
                wrong |= not row["adds_up"]
                print(told(row))
                if options.keep:
                    append(row)
    return int(wrong)


def measure(base_url: str, workers: int, options: argparse.Namespace, *, kill: bool) -> dict[str, Any]:
    """Offer the plan once; return what came of it."""
    victims: list[str] = []
    with crew(workers, through_locust=options.through_locust) as generator:
        generator.load(HERE / "asking.py")
        side = Side(variant="it", base_url=base_url)
        generator.open_sides(
            OpenSides(sides=[side], key=[1, "workers"], users=32, most_users=5000, most_backlog=50_000)
        )

        def on_second(second: Second, _requests: Recording, _schedule: Recording) -> bool:
            if kill and second.elapsed_s == KILLED_AT_S:
                name = list(generator.team.workers)[-1]
                os.kill(generator.team.workers[name].hello.pid, signal.SIGKILL)
                victims.append(name)
            return True

        # Locust misses a worker after some four seconds: the others need time to take over
        seconds = options.seconds + (6 if kill and options.through_locust else 0)
        order = RunBlock(
            side=0,
            rate=f"{options.rate}/{seconds}s",
            start_s=0.0,
            stop_s=float(seconds),
            key=[1, "workers"],
            drain_s=10.0,
            shares=[(0, 1, 0)],
        )
        done, requests, schedule = generator.run(order, on_second)
    return row_of(workers, options, victims, done, requests, schedule)


def row_of(
    workers: int,
    options: argparse.Namespace,
    victims: list[str],
    done: BlockDone,
    requests: Recording,
    schedule: Recording,
) -> dict[str, Any]:
    """Return the row of one run."""
    sent = sum(one.requests for one in done.workers)
    merged = requests.total - requests.count(endpoint=LOST)
    dead = [one for one in done.workers if one.ended]
    adds_up = not done.mismatch and sent == merged and merged + done.lost == done.planned == done.due
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "workers": workers,
        "rate": options.rate,
        "through_locust": options.through_locust,
        "killed": len(victims),
        "planned": done.planned,
        "sent": sent,
        "merged": merged,
        "lost": done.lost,
        "adds_up": adds_up and [one.name for one in dead] == victims,
        "mismatch": done.mismatch,
        "reported": [f"{one.name} {one.ended}" for one in dead],
        "lag_p99_us": schedule.quantile(0.99, "lag", endpoint="(dispatch)").value_us,
        "cpu_us": 1e6 * sum(one.cpu_s for one in done.workers) / max(merged, 1),
        "clock_bound_us": max(one.clock_bound_us for one in done.workers),
        "clock_offset_us": [one.clock_offset_us for one in done.workers if one.clock_offset_us is not None],
    }


def told(row: dict[str, Any]) -> str:
    """Return a row of the table."""
    text = (
        f"{row['workers']:>7} {row['planned']:>8} {row['sent']:>10} {row['merged']:>8} {row['lost']:>6} "
        f"{'adds up' if row['adds_up'] else 'DIFFERS':>9} {row['lag_p99_us'] / 1000:>6.2f} ms"
        f" {row['cpu_us']:>6.1f} µs"
    )
    text += f"  {row['mismatch']}" if row["mismatch"] else ""
    return text + "".join(f"  reported: {one}" for one in row["reported"])


@contextmanager
def crew(workers: int, *, through_locust: bool) -> Iterator[LoadGenerator]:
    """Start so many workers on this host."""
    children: list[subprocess.Popen[bytes]] = []

    def spawn(argv: list[str]) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "LOADSTONE_RUN": TOKEN, TOKEN_VARIABLE: TOKEN}
        quiet = subprocess.DEVNULL if through_locust else None
        children.append(subprocess.Popen(argv, env=environment, stderr=quiet))
        return children[-1]

    def call(text: str) -> None:
        if text.startswith("waiting for"):
            address = text.rsplit(maxsplit=1)[-1]
            for _ in range(workers):
                spawn([sys.executable, "-m", "loadstone", "worker", "--master", address])

    here = Crew(local=workers)
    elsewhere = Crew(local=0, expected=workers, port=0, token=TOKEN)
    try:
        with start_crew(spawn, TOKEN, elsewhere if through_locust else here, tell=call) as generator:
            yield generator
    finally:
        for process in children:
            process.kill()
            process.wait()


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
