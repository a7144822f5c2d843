"""One block of offered load, as a worker runs it: pools, recorders, a report every second."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NoReturn

import gevent
from gevent.event import Event
from locust import User
from locust.env import Environment

from loadstone.config.rates import parse_rate
from loadstone.errors import MeasurementError
from loadstone.workload.arrivals import Arrivals, Share
from loadstone.workload.load_protocol import OpenSides, Report, Reshare, Reshared, RunBlock, WorkerDone
from loadstone.workload.openloop import Offered, OpenLoop
from loadstone.workload.pool import Pool
from loadstone.workload.recorder import Recorder
from loadstone.workload.reporting import reporting_of
from loadstone.workload.reports import Outbox

HEAD_START_NS = 20_000_000
"""Between the order and the plan's zero, so that the first arrival is not late already."""
SECOND_S = 1.0
SETTLE_S = 0.05
"""After a second is over, until it is told."""
PAUSE_S = 0.001
"""Between the parts of making a report: long enough for the hub to look at its timers."""
RESEND_S = 1.0
"""After which the last report is sent again where nobody acknowledged it."""
ORPHAN_S = 15.0
"""Without an acknowledgement, after which a worker hands out no more work."""
FLUSH_S = 60.0
"""For the last report to be acknowledged."""
_GROWTH_BYTES = 256 << 20
"""Growth of memory after which garbage is collected in mid-run."""
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Sides:
    """The pools of all sides, for one generation."""

    def __init__(self, order: OpenSides, classes: Sequence[type[User]], environment: Environment) -> None:
        self._environment = environment
        self._running: tuple[Arrivals, OpenLoop] | None = None
        self.pools = [
            Pool(
                classes,
                environment,
                side.base_url,
                Recorder(),
                tuple(order.key),
                most_users=order.most_users,
                most_backlog=order.most_backlog,
                variant=index,
            )
            for index, side in enumerate(order.sides)
        ]
        for pool in self.pools:
            pool.prepare(order.users)

    def run(self, order: RunBlock, outbox: Outbox) -> None:
        """Carry out this worker's share of one block, and report until the master has it all."""
        shares = [Share(*share) for share in order.shares]
        arrivals = Arrivals(parse_rate(order.rate), order.start_s, order.stop_s, tuple(order.key))
        pool, reporting = self.pools[order.side], reporting_of(self._environment)
        with no_garbage_collection():
            zero_ns = order.zero_ns or time.perf_counter_ns() + HEAD_START_NS
            requests, schedule = Recorder(zero_ns), Recorder(zero_ns)
            pool.switch_recorder(schedule, tuple(order.key))
            loop = OpenLoop(arrivals.batches(shares), pool, requests, schedule, drain_s=order.drain_s)
            self._running = arrivals, loop
            teller = Teller(requests, schedule, zero_ns, outbox, loop.abort, pool)
            reporting.record_into(requests)
            teller.start()
            try:
                offered = loop.run(zero_ns)
            finally:
                self._running = None
                reporting.record_into(None)
                teller.stop()
            teller.finish(offered)

    def reshare(self, order: Reshare) -> Reshared:
        """Take other arrivals from the last share's first one on; tell whether that came in time."""
        first, shares = order.shares[-1][0], [Share(*share) for share in order.shares]
        if self._running is None:
            return Reshared(first=first, accepted=False)
        arrivals, loop = self._running
        batches = arrivals.batches(shares, after=loop.offered.last)
        return Reshared(first=first, accepted=loop.reshare(first, batches))

    def close(self) -> None:
        """End all users."""
        for pool in self.pools:
            pool.stop()


class Teller:
    """Reports every second what was recorded, and in the end the rest."""

    def __init__(
        self,
        requests: Recorder,
        schedule: Recorder,
        zero_ns: int,
        outbox: Outbox,
        abort: Callable[[], None],
        pool: Pool | None,
    ) -> None:
        self._requests = requests
        self._schedule = schedule
        self._zero_ns = zero_ns
        self._outbox = outbox
        self._pool = pool
        self._over = Event()
        self._acked = Event()
        self._abort = abort
        outbox.on_ack, outbox.on_end = self._acked.set, abort
        self._cpu = os.times()
        self._clocks = time.time_ns() - time.perf_counter_ns()
        self._memory = _resident_bytes()
        self._greenlet: gevent.Greenlet[[], None] | None = None

    def start(self) -> None:
        """Begin to report."""
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        """Report no more; what is being sent is sent to its end."""
        self._over.set()
        if self._greenlet is not None:
            self._greenlet.join()

    def finish(self, offered: Offered) -> None:
        """Report what the whole block came to; return when the master has acknowledged everything.

        Raises:
            MeasurementError: it does not.
        """
        self.stop()
        drift_ns = time.time_ns() - time.perf_counter_ns() - self._clocks
        by = time.monotonic() + FLUSH_S
        self._flush(by)
        self._outbox.post(lambda seq: self._done(seq, offered, drift_ns / 1e9))
        self._flush(by)

    def _flush(self, by: float) -> None:
        while not self._outbox.clear:
            self._acked.clear()
            if not self._acked.wait(RESEND_S):
                self._outbox.post(_never)
            if time.monotonic() > by:
                raise MeasurementError("nobody takes the last report")

    def _run(self) -> None:
        elapsed, heard = 0, time.monotonic()
        while True:
            elapsed += 1
            until = self._zero_ns / 1e9 + elapsed * SECOND_S + SETTLE_S
            if self._over.wait(max(0.0, until - time.perf_counter())):
                return
            if self._outbox.clear:
                heard = time.monotonic()
            elif time.monotonic() - heard > ORPHAN_S:
                self._abort()  # nobody listens any more: load without a master would be nobody's
                return
            self._outbox.post(partial(self._report, elapsed=elapsed))
            self._keep_memory()

    def _report(self, seq: int, elapsed: int) -> Report:
        """Make a second's report, a millisecond or two of work at a time: what falls due goes in between.

        What is in it was cut at one instant, so that an iteration is never told without its requests.
        """
        requests, schedule = self._requests.split(), self._schedule.split()
        recorded, scheduled = self._requests.recorded, self._schedule.recorded
        packed = []
        for part in (requests, schedule):
            taken = part.take()
            gevent.sleep(PAUSE_S)
            packed.append(taken.pack())
            gevent.sleep(PAUSE_S)
        return Report(
            seq=seq,
            requests=packed[0],
            schedule=packed[1],
            recorded=recorded,
            scheduled=scheduled,
            cpu_s=self._cpu_s(),
            elapsed_s=elapsed,
            users=self._pool.living if self._pool else 0,
            backlog=self._pool.backlog if self._pool else 0,
        )

    def _done(self, seq: int, offered: Offered, drift_s: float) -> WorkerDone:
        requests, schedule = self._requests.take().pack(), self._schedule.take().pack()
        return WorkerDone(
            seq=seq,
            requests=requests,
            schedule=schedule,
            recorded=self._requests.recorded,
            scheduled=self._schedule.recorded,
            cpu_s=self._cpu_s(),
            due=offered.due,
            last=offered.last,
            begun=offered.begun,
            not_sent=offered.not_sent,
            unfinished=offered.unfinished,
            users=offered.users,
            backlog=offered.backlog,
            scenario_errors=offered.scenario_errors,
            first_error=offered.first_error,
            duration_s=offered.duration_s,
            clock_drift_s=drift_s,
        )

    def _cpu_s(self) -> float:
        now = os.times()
        return now.user + now.system - self._cpu.user - self._cpu.system

    def _keep_memory(self) -> None:
        """Collect garbage once it may have become much: a late request is better than none."""
        now = _resident_bytes()
        if now - self._memory > _GROWTH_BYTES:
            gc.collect()
            self._memory = _resident_bytes()


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Keep the collector from stopping everything for some ten milliseconds now and then."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def _never(_seq: int) -> NoReturn:
    raise AssertionError("a report that waits is sent again, not made anew")


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
