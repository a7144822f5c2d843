"""How much memory and disk 20 million requests need: `python benchmarks/generator/soak.py [--samples N]`.

Requests of ten endpoints and three outcomes, times log-normal, are recorded at 5,000 a
second of made-up time (over an hour for 20 million), first as a process that keeps its
recording itself, then as one whose seconds are taken and sealed as they go by.
"""

from __future__ import annotations

import argparse
import gc
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import psutil

from loadstone.record.observations import Outcome
from loadstone.record.recording import Recording
from loadstone.workload.recorder import Recorder

RATE = 5_000
ENDPOINTS = 10
BLOCK = 100_000
OUTCOMES = (Outcome.OK, Outcome.SERVER_ERROR, Outcome.TIMEOUT)
MIB = 1 << 20


def memory_mib() -> float:
    """Return this process's resident memory."""
    gc.collect()
    return float(psutil.Process().memory_info().rss) / MIB


def record(recorder: Recorder, samples: int, on_second: Callable[[], None]) -> float:
    """Record made-up requests; return the CPU seconds that recording itself took."""
    rng = np.random.default_rng(1)
    ids = [recorder.endpoint(f"GET /endpoint/{number}") for number in range(ENDPOINTS)]
    cpu = 0.0
    for start in range(0, samples, BLOCK):
        end_ns = ((start + np.arange(BLOCK)) * (1_000_000_000 // RATE)).tolist()
        service_ns = (rng.lognormal(np.log(20e6), 1.0, BLOCK)).astype(np.int64).tolist()
        lag_ns = (rng.exponential(100e3, BLOCK)).astype(np.int64).tolist()
        endpoint = rng.integers(0, ENDPOINTS, BLOCK).tolist()
        outcome = rng.choice([int(one) for one in OUTCOMES], BLOCK, p=(0.98, 0.015, 0.005)).tolist()
        for first in range(0, BLOCK, RATE):
            part = slice(first, first + RATE)
            rows = zip(
                endpoint[part], outcome[part], end_ns[part], service_ns[part], lag_ns[part], strict=True
            )
            before = time.process_time()
            for which, how, end, service, lag in rows:
                recorder.record(ids[which], how, end - service - lag, end - service, end)
            on_second()
            cpu += time.process_time() - before
    return cpu


def report(
    title: str, cpu: float, marks: list[tuple[float, float]], kept: Recording, sealed: list[int]
) -> None:
    """Print one way of recording."""
    print(f"{title}: {kept.total:,} recorded, {cpu / kept.total * 1e9:.0f} ns of CPU each")
    print("  memory, MiB after minutes: " + ", ".join(f"{mib:.1f} after {at:.0f}" for at, mib in marks))
    print(f"  windows kept: {len(kept.windows)}; the whole packed: {len(kept.pack()) / 1024:,.0f} KiB")
    if sealed:
        print(f"  chunks: {len(sealed):,}, {sum(sealed) / MIB:.1f} MiB, {max(sealed):,} bytes the largest")


def soak(samples: int, *, take: bool) -> None:
    """Record in a fresh process; `take`, pack and merge each second, or leave that to the recorder."""
    recorder, kept, sealed = Recorder(0), Recording(), []
    marks: list[tuple[float, float]] = []
    seconds = 0
    wanted = {round(samples / RATE * share) for share in (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1)}

    def on_second() -> None:
        nonlocal seconds
        seconds += 1
        if take:
            recording = recorder.take()
            sealed.append(len(recording.pack()))
            kept.add(recording)
        if seconds in wanted:
            marks.append((seconds / 60, memory_mib()))

    cpu = record(recorder, samples, on_second)
    kept.add(recorder.take())
    if kept.total != samples:
        raise SystemExit(f"{kept.total - samples:+,} requests")
    report("taken and sealed every second" if take else "kept by the recorder", cpu, marks, kept, sealed)


def main() -> None:
    """Record both ways, each in a process of its own."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=20_000_000, help=f"rounded up to {BLOCK:,}s")
    parser.add_argument("--way", choices=("kept", "taken"), help="only one of them")
    options = parser.parse_args()
    samples = -(-options.samples // BLOCK) * BLOCK
    if options.way:
        soak(samples, take=options.way == "taken")
        return
    for way in ("kept", "taken"):
        subprocess.run([sys.executable, __file__, "--samples", str(samples), "--way", way], check=True)


if __name__ == "__main__":
    main()
