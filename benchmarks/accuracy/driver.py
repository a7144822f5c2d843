"""The load of the other methods in versus.py: one connection, one request after the other.

Writes to standard output one record a timed request: when it began, in microseconds
since the first, and how long it took. Ends with 1 on any answer but 200.

Example:
    python benchmarks/accuracy/driver.py 127.0.0.1:8000 --seconds 5 --path /products > records
"""

from __future__ import annotations

import argparse
import http.client
import os
import random
import sys
import time

import numpy as np

RECORD = np.dtype([("began_us", "<i8"), ("latency_us", "<i4")])
OK = 200


def main(argv: list[str] | None = None) -> int:
    """Warm up, wait for the beginning, send for so many seconds, write the records."""
    options = _options(argv)
    if options.core is not None:
        os.sched_setaffinity(0, {options.core})
    draw = random.Random(options.seed)
    connection = http.client.HTTPConnection(options.address, timeout=30)
    _send(connection, options.path, draw, time.monotonic() + options.warm)
    if options.begin_at is not None:
        time.sleep(max(0.0, options.begin_at - time.monotonic()))
    records = _send(connection, options.path, draw, time.monotonic() + options.seconds)
    connection.close()
    sys.stdout.buffer.write(np.array(records, dtype=RECORD).tobytes())
    return 0


def _send(
    connection: http.client.HTTPConnection, paths: list[str], draw: random.Random, until: float
) -> list[tuple[int, int]]:
    """Send requests until the monotonic clock says `until`; return the records."""
    records: list[tuple[int, int]] = []
    first = time.perf_counter_ns()
    while time.monotonic() < until:
        path = draw.choice(paths)
        began = time.perf_counter_ns()
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        ended = time.perf_counter_ns()
        if response.status != OK:
            raise SystemExit(f"{path} answered {response.status}")
        records.append(((began - first) // 1000, (ended - began) // 1000))
    return records


def _options(argv: list[str] | None) -> argparse.Namespace:
    lines = (__doc__ or "").split("\n\n", 1)
    parser = argparse.ArgumentParser(
        description=lines[0], epilog=lines[1], formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("address", help="host and port")
    parser.add_argument("--seconds", type=float, required=True, help="to measure for")
    parser.add_argument("--warm", type=float, default=1.0, help="seconds before, unmeasured (%(default)s)")
    parser.add_argument("--path", action="append", required=True, help="what is asked for; repeatable")
    parser.add_argument("--seed", type=int, default=1, help="of the order of paths (%(default)s)")
    parser.add_argument("--core", type=int, help="stay on this CPU core")
    parser.add_argument("--begin-at", type=float, help="time.monotonic() at which measuring begins")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
