"""How much memory and disk 20 million requests need: `python benchmarks/generator/soak.py [--samples N]`.

Requests of ten endpoints and three outcomes, times log-normal, are recorded at 5,000 a
second of made-up time (over an hour for 20 million), first as a process that keeps its
recording itself, then as one whose seconds are taken and sealed as they go by.
"""

from __future__ import annotations

import argparse
import gc
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
    title: str, samples: int, cpu: float, marks: list[float], kept: Recording, sealed: list[int]
) -> None:
    """Print one way of recording."""
    packed = len(kept.pack())
    print(f"{title}: {kept.total:,} of {samples:,} recorded, {cpu / samples * 1e9:.0f} ns of CPU each")
    print(f"  memory: {marks[0]:.1f} MiB after the first {BLOCK:,}, {marks[1]:.1f} MiB at the end")
    print(f"  windows kept: {len(kept.windows)}; the whole packed: {packed / 1024:,.0f} KiB")
    if sealed:
        print(f"  chunks: {len(sealed):,}, {sum(sealed) / MIB:.1f} MiB, {max(sealed):,} bytes the largest")
    wrong = kept.total - samples
    if wrong:
        raise SystemExit(f"{wrong:+,} requests")


def kept_by_itself(samples: int) -> None:
    """Record in a process that nobody takes from."""
    recorder = Recorder(0)
    record(recorder, BLOCK, lambda: None)
    marks = [memory_mib()]
    recorder = Recorder(0)
    cpu = record(recorder, samples, lambda: None)
    marks.append(memory_mib())
    report("kept by the recorder", samples, cpu, marks, recorder.take(), [])


def taken_every_second(samples: int) -> None:
    """Record, and take, seal and merge each second."""
    recorder, kept, sealed = Recorder(0), Recording(), []
    marks: list[float] = []

    def on_second() -> None:
        recording = recorder.take()
        sealed.append(len(recording.pack()))
        kept.add(recording)
        if len(sealed) == BLOCK // RATE:
            marks.append(memory_mib())

    cpu = record(recorder, samples, on_second)
    marks.append(memory_mib())
    report("taken and sealed every second", samples, cpu, marks, kept, sealed)


def main() -> None:
    """Record both ways."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=20_000_000, help=f"rounded up to {BLOCK:,}s")
    samples = -(-parser.parse_args().samples // BLOCK) * BLOCK
    kept_by_itself(samples)
    taken_every_second(samples)


if __name__ == "__main__":
    main()
