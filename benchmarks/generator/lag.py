"""How late does the plan hand out work? `python benchmarks/generator/lag.py [--seconds 10]`.

At 100, 1,000, 2,000 and 3,000 arrivals per second against a server that does nothing:
the lag with which work was handed to a user, the lag of the request itself (the
client's own preparations included), and what all of it costs in CPU. The generator has
a core of its own; the server and this program, which sums up, share another one.

What else runs on the machine takes that core now and then, a time slice of some
milliseconds each: `kept waiting` says for how much of the time. `--first` has the
generator run before anything else there (root only), which leaves what is its own.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from offering import child, offer, offering

RATES = (100, 1000, 2000, 3000)
QUANTILES = (0.5, 0.99, 0.999)
HERE = Path(__file__).parent


def waited_s(pid: int) -> float:
    """Return for how long a process was ready and something else ran on its core (proc(5), schedstat)."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


def main() -> int:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rates", type=int, nargs="*", default=RATES)
    parser.add_argument("--scenario", type=Path, default=HERE / "asking.py")
    parser.add_argument("--first", action="store_true", help="before whatever else the core has to do (root)")
    parser.add_argument("--poisson", action="store_true", help="arrivals at random instead of evenly spaced")
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})
    with child(["-m", "loadstone.workload.null_server"], core=cores[-1]) as port:
        print(f"{'':>8} {'dispatch lag, µs':^26} {'request lag, µs':^26}", end="")
        print(f" {'CPU':>8} {'of a core':>9} {'kept':>8}")
        print(f"{'rate':>8}" + f" {'p50':>8} {'p99':>8} {'p99.9':>8}" * 2, end="")
        print(f" {'µs each':>8} {'':>9} {'waiting':>8}")
        for rate in options.rates:
            base_url = f"http://127.0.0.1:{port}"
            with offering(options.scenario, base_url, users=32, core=cores[0]) as generator:
                (worker,) = generator.team.workers.values()
                if options.first:
                    os.sched_setscheduler(worker.hello.pid, os.SCHED_FIFO, os.sched_param(1))
                offer(generator, f"{rate}/1s", "warm")
                before_s = waited_s(worker.hello.pid)
                text = f"{'poisson:' if options.poisson else ''}{rate}/{options.seconds}s"
                done, requests, schedule = offer(generator, text, "measure")
                waited = (waited_s(worker.hello.pid) - before_s) / done.duration_s
            lags = [schedule.quantile(q, "lag", endpoint="(dispatch)").value_us for q in QUANTILES]
            lags += [requests.quantile(q, "lag").value_us for q in QUANTILES]
            print(
                f"{rate:>7}/s"
                + "".join(f" {lag:>8.0f}" for lag in lags)
                + f" {1e6 * done.cpu_s / done.due:>8.1f}"
                f" {done.cpu_s / done.duration_s:>9.1%} {waited:>8.2%}"
                + (f"  {done.not_sent} not sent" if done.not_sent else "")
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
