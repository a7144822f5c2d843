"""One block of offered load, as the generator runs it: pools, recorders, a word every second."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import gevent
from gevent.event import Event
from locust import User
from locust.env import Environment

from loadstone.config.rates import parse_rate
from loadstone.workload.arrivals import Arrivals, Share
from loadstone.workload.load_protocol import BlockDone, OpenSides, RunBlock, Second
from loadstone.workload.openloop import Offered, OpenLoop
from loadstone.workload.pool import Pool
from loadstone.workload.recorder import Recorder
from loadstone.workload.reporting import reporting_of

HEAD_START_NS = 20_000_000
"""Between the order and the plan's zero, so that the first arrival is not late already."""
SECOND_S = 1.0
SETTLE_S = 0.05
"""After a second is over, until it is told."""
_GROWTH_BYTES = 256 << 20
"""Growth of memory after which garbage is collected in mid-run."""
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Sides:
    """The pools of all sides, for one generation."""

    def __init__(self, order: OpenSides, classes: Sequence[type[User]], environment: Environment) -> None:
        self._environment = environment
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

    def run(self, order: RunBlock, tell: Callable[[Second], bool]) -> BlockDone:
        """Carry out one block; `tell` returns whether it should go on."""
        rate, shares = parse_rate(order.rate), [Share(*share) for share in order.shares]
        arrivals = Arrivals(rate, order.start_s, order.stop_s, tuple(order.key))
        pool, reporting = self.pools[order.side], reporting_of(self._environment)
        with no_garbage_collection():
            zero_ns = time.perf_counter_ns() + HEAD_START_NS
            requests, schedule = Recorder(zero_ns), Recorder(zero_ns)
            pool.switch_recorder(schedule, tuple(order.key))
            loop = OpenLoop(arrivals.batches(shares), pool, requests, schedule, drain_s=order.drain_s)
            teller = Teller(requests, schedule, zero_ns, tell, loop.abort, pool)
            reporting.record_into(requests)
            teller.start()
            try:
                return teller.finish(loop.run(zero_ns))
            finally:
                reporting.record_into(None)
                teller.stop()

    def close(self) -> None:
        """End all users."""
        for pool in self.pools:
            pool.stop()


class Teller:
    """Tells every second what was recorded, and in the end the rest."""

    def __init__(
        self,
        requests: Recorder,
        schedule: Recorder,
        zero_ns: int,
        tell: Callable[[Second], bool],
        abort: Callable[[], None],
        pool: Pool | None,
    ) -> None:
        self._requests = requests
        self._schedule = schedule
        self._zero_ns = zero_ns
        self._tell = tell
        self._abort = abort
        self._pool = pool
        self._over = Event()
        self._cpu = os.times()
        self._clocks = time.time_ns() - time.perf_counter_ns()
        self._memory = _resident_bytes()
        self._greenlet: gevent.Greenlet[[], None] | None = None

    def start(self) -> None:
        """Begin to tell."""
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        """Tell no more; a word that is being said is said to its end."""
        self._over.set()
        if self._greenlet is not None:
            self._greenlet.join()

    def finish(self, offered: Offered) -> BlockDone:
        """Return what the whole block came to, with what was not told yet."""
        self.stop()
        drift_ns = time.time_ns() - time.perf_counter_ns() - self._clocks
        return BlockDone(
            requests=self._requests.take().pack(),
            schedule=self._schedule.take().pack(),
            due=offered.due,
            begun=offered.begun,
            not_sent=offered.not_sent,
            unfinished=offered.unfinished,
            users=offered.users,
            backlog=offered.backlog,
            scenario_errors=offered.scenario_errors,
            first_error=offered.first_error,
            duration_s=offered.duration_s,
            cpu_s=self._cpu_s(),
            clock_drift_s=drift_ns / 1e9,
        )

    def _run(self) -> None:
        elapsed = 0
        while True:
            elapsed += 1
            until = self._zero_ns / 1e9 + elapsed * SECOND_S + SETTLE_S
            if self._over.wait(max(0.0, until - time.perf_counter())):
                return
            if not self._tell(self._second(elapsed)):
                self._abort()
                return
            self._keep_memory()

    def _second(self, elapsed: int) -> Second:
        return Second(
            elapsed_s=elapsed,
            requests=self._requests.take().pack(),
            schedule=self._schedule.take().pack(),
            users=self._pool.living if self._pool else 0,
            backlog=self._pool.backlog if self._pool else 0,
            cpu_s=self._cpu_s(),
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


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
