"""Are reported percentiles the true ones? `python benchmarks/generator/percentiles.py`.

Known distributions go through the whole path, split over workers. On paper: made-up times
are recorded by each worker, taken second by second, packed, unpacked and added up. Live:
users of worker processes ask a server that keeps each of them waiting for a planned time.
Reported percentiles are compared with the exact ones of the plan. Fails above 0.5%.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
from servers import GENERATOR_CORE, SERVER_CORE, free_port, pin, wait_for

from loadstone.record.observations import Outcome
from loadstone.record.recording import Recording
from loadstone.workload.recorder import Recorder

BOUND = 0.005
QUANTILES = (0.01, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999)
WORKERS = 4
SAMPLES = 400_000
FIRST_HUMP = 0.8
"""Share of the shorter times in the distribution that has two humps."""
LIVE_WORKERS = 2
LIVE_USERS = 100
SHORTEST_S, LONGEST_S = 1.0, 4.0
"""Live waits: so long that what timers, kernel and client add, some 0.5 ms, is not what is judged."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def truth(values: Ints | Floats, q: float) -> float:
    """Return the smallest value that at least q·n values do not exceed."""
    ordered = np.sort(values)
    return float(ordered[max(1, math.ceil(round(q * ordered.size, 9))) - 1])


def distributions(rng: np.random.Generator) -> dict[str, Ints]:
    """Return service times in nanoseconds, from 0.2 ms up: below, a microsecond is a coarse unit."""
    made = {
        "uniform, 0.2 to 50 ms": rng.uniform(0.2e6, 50e6, SAMPLES),
        "log-normal, median 8 ms": rng.lognormal(np.log(8e6), 0.7, SAMPLES),
        "exponential, mean 30 ms": rng.exponential(30e6, SAMPLES),
        "Pareto, heavy tail": 1e6 * (1 + rng.pareto(1.3, SAMPLES)),
        "two humps, 1 and 900 ms": np.where(rng.random(SAMPLES) < FIRST_HUMP, 1e6, 900e6)
        * rng.normal(1, 0.02, SAMPLES),
        "constant 110.0 ms": np.full(SAMPLES, 110e6),
    }
    return {name: np.clip(values, 0.2e6, 3600e9).astype(np.int64) for name, values in made.items()}


def through_the_path(service_ns: Ints) -> Recording:
    """Record, take, pack, unpack and add up, as workers and their master do."""
    total = Recording()
    for worker in range(WORKERS):
        recorder = Recorder(0)
        endpoint = recorder.endpoint("GET /")
        end_ns = np.arange(worker, service_ns.size, WORKERS) * 50_000 + 3_600_000_000_000
        mine = service_ns[worker::WORKERS]
        for number, (end, service) in enumerate(zip(end_ns.tolist(), mine.tolist(), strict=True)):
            recorder.record(endpoint, Outcome.OK, end - service, end - service, end)
            if number % 5000 == 0:
                total.add(Recording.unpack(recorder.take().pack()))
        total.add(Recording.unpack(recorder.take().pack()))
    return total


def compare(name: str, recording: Recording, true_ns: Ints | Floats) -> float:
    """Print a line and return the worst relative error."""
    if recording.total != true_ns.size:
        raise SystemExit(f"{name}: {recording.total:,} of {true_ns.size:,} requests were recorded")
    errors = {}
    for q in QUANTILES:
        if true_ns.size * (1 - q) < 1:
            continue
        exact = truth(true_ns, q)
        errors[q] = recording.quantile(q, "response").value_us * 1000 / exact - 1
    worst = max(errors, key=lambda q: abs(errors[q]))
    print(f"| {name} | {recording.total:,} | {abs(errors[worst]):.3%} | p{worst * 100:g} |")
    return abs(errors[worst])


def live() -> tuple[Recording, Floats]:
    """Return what worker processes recorded of a server that lets its callers wait, and the planned waits."""
    waits = np.linspace(SHORTEST_S, LONGEST_S, LIVE_WORKERS * LIVE_USERS * 4)
    np.random.default_rng(1).shuffle(waits)
    port = free_port()
    server = subprocess.Popen([sys.executable, __file__, "--serve", str(port)])
    try:
        wait_for(port)
        shares = [waits[worker::LIVE_WORKERS].tolist() for worker in range(LIVE_WORKERS)]
        workers = [
            subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("waiters.py")), str(port), str(LIVE_USERS)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            for _ in shares
        ]
        for worker, share in zip(workers, shares, strict=True):
            assert worker.stdin is not None  # noqa: S101 - it was asked for
            worker.stdin.write(json.dumps(share).encode())
            worker.stdin.close()
        total = Recording()
        for worker in workers:
            assert worker.stdout is not None  # noqa: S101 - as above
            total.add(Recording.unpack(worker.stdout.read()))
            worker.wait()
    finally:
        server.kill()
        server.wait()
    return total, waits * 1e9


def serve(port: int) -> None:
    """Answer `/SECONDS` after that many seconds, from the request's arrival."""

    class Protocol(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            seconds = float(data.split(b" ", 2)[1][1:])
            answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
            asyncio.get_running_loop().call_later(seconds, self.transport.write, answer)  # type: ignore[attr-defined]

    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(Protocol, "127.0.0.1", port, backlog=1024)
        await server.serve_forever()

    pin(SERVER_CORE)
    asyncio.run(main())


def main() -> None:
    """Compare, and fail where the worst error is beyond the bound."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return
    pin(GENERATOR_CORE)
    started = time.monotonic()
    print("| distribution | requests | worst error | at |\n|---|---:|---:|---|")
    worst = 0.0
    for name, service_ns in distributions(np.random.default_rng(1)).items():
        worst = max(worst, compare(name, through_the_path(service_ns), service_ns))
    worst = max(worst, compare(f"live, {LIVE_WORKERS} worker processes, waits of 1 to 4 s", *live()))
    print(f"\nWorst relative error: {worst:.3%} (bound {BOUND:.1%}), {time.monotonic() - started:.0f} s.")
    if worst > BOUND:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
