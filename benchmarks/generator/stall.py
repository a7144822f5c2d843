"""Is a stall reported as long as it was? `python benchmarks/generator/stall.py [--rate 200] [--seconds 25]`.

A server answers after 100 ms and freezes for the last second of every five. What a
client that keeps its plan must see follows from the plan: a request due in a freeze
ends 100 ms after it. Ours must report the percentiles of that within 2%; stock
Locust's `constant_throughput`, on the same scenario and server, stands beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from offering import child, offer, offering
from stalling_server import EVERY_S, FROZEN_S, SERVICE_S

from loadstone.config.rates import parse_rate
from loadstone.workload.arrivals import Arrivals

QUANTILES = (0.5, 0.9, 0.99, 0.999)
TOLERANCE = 0.02
HERE = Path(__file__).parent
FloatArray = NDArray[np.float64]


def planned_us(due_s: FloatArray) -> FloatArray:
    """Return response times in microseconds of requests due at `due_s`, counted from the server's zero."""
    into = due_s % EVERY_S
    waits = np.where(into >= EVERY_S - FROZEN_S, EVERY_S - into, 0.0)
    # what is on its way when the freeze begins answers after it
    caught = (into >= EVERY_S - FROZEN_S - SERVICE_S) & (into < EVERY_S - FROZEN_S)
    return 1e6 * np.where(caught, EVERY_S - into, waits + SERVICE_S)


def quantile(values: FloatArray, q: float) -> float:
    """Return the smallest value that at least q of them do not exceed."""
    return float(np.quantile(values, q, method="inverted_cdf"))


def ours(rate: int, seconds: int, base_url: str, zero_ns: int) -> tuple[list[float], list[float], float]:
    """Return percentiles as planned and as reported, in microseconds, and the lag's p99."""
    text = f"{rate}/{seconds}s"
    with offering(HERE / "asking.py", base_url, users=2 * rate) as generator:
        offer(generator, f"{rate}/{EVERY_S + 1:.0f}s", "warm")  # a whole stall: every user has a connection
        wait = EVERY_S - (time.perf_counter_ns() - zero_ns) / 1e9 % EVERY_S
        time.sleep(wait)
        begin = (time.perf_counter_ns() - zero_ns) / 1e9
        done, requests, schedule = offer(generator, text, "measure")
    if done.begun != done.due or requests.total != done.due:
        sys.exit(f"{done.due} were due, {done.begun} begun, {requests.total} recorded")
    arrivals = Arrivals(parse_rate(text), 0.0, float(seconds))
    due_s = np.concatenate([batch.due_ns for batch in arrivals.batches()]) / 1e9
    truth = planned_us(due_s + begin)
    lag = schedule.quantile(0.99, "lag", endpoint="(dispatch)").value_us
    return [quantile(truth, q) for q in QUANTILES], [requests.quantile(q).value_us for q in QUANTILES], lag


def stock(rate: int, seconds: int, base_url: str, users: int) -> list[float]:
    """Return the percentiles that stock Locust reports for the same rate, in microseconds."""
    argv = [sys.executable, "-m", "locust", "-f", str(HERE / "asking.py"), "--headless", "--host", base_url]
    argv += ["-u", str(users), "-r", str(users), "-t", f"{seconds}s", "--json", "--loglevel", "ERROR"]
    environment = {**os.environ, "PER_USER": str(rate / users), "CLIENT": "fast"}
    output = subprocess.run(argv, env=environment, check=True, capture_output=True, text=True).stdout
    (entry,) = json.loads(output)
    times = [(float(ms), count) for ms, count in entry["response_times"].items()]
    values = np.repeat([ms for ms, _ in times], [count for _, count in times])
    return [1000 * quantile(values, q) for q in QUANTILES]


def main() -> int:
    """Run both and print one table; the exit status tells whether ours is within the tolerance."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rate", type=int, default=200, help="arrivals per second")
    parser.add_argument("--seconds", type=int, default=25, help="a multiple of five")
    parser.add_argument("--users", type=int, default=50, help="users of stock Locust")
    options = parser.parse_args()
    with child([str(HERE / "stalling_server.py")]) as line:
        port, zero_ns = (int(word) for word in line.split())
        base_url = f"http://127.0.0.1:{port}"
        truth, told, lag_us = ours(options.rate, options.seconds, base_url, zero_ns)
        theirs = stock(options.rate, options.seconds, base_url, options.users)
    print(
        f"{options.rate} arrivals/s for {options.seconds} s; 1 s of every {EVERY_S:.0f} s frozen; times in ms"
    )
    print(f"{'':>6} {'planned':>9} {'reported':>9} {'error':>8} {'stock Locust':>13} {'error':>8}")
    worst = 0.0
    for q, true, ours_us, stock_us in zip(QUANTILES, truth, told, theirs, strict=True):
        errors = [value / true - 1 for value in (ours_us, stock_us)]
        worst = max(worst, abs(errors[0]))
        print(
            f"p{q * 100:<5g} {true / 1000:>9.1f} {ours_us / 1000:>9.1f} {errors[0]:>+8.2%} "
            f"{stock_us / 1000:>13.1f} {errors[1]:>+8.1%}"
        )
    print(
        f"worst error {worst:.2%} (at most {TOLERANCE:.0%} wanted); dispatch lag p99 {lag_us / 1000:.2f} ms"
    )
    return int(worst > TOLERANCE)


if __name__ == "__main__":
    sys.exit(main())
