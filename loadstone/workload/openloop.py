"""The open model: a plan hands out work when it is due, to whichever user is free.

Each arrival is one iteration of a scenario's user (design: one execution of a task
that is a function). Users wait parked in a pool that grows while work waits; work that
finds no user waits with its intended start, and where the backlog is full it is
counted as not sent. Nothing is dropped in silence.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import gevent
from gevent.event import Event

from loadstone.record.observations import Outcome
from loadstone.workload.arrivals import Batch
from loadstone.workload.pool import Pool
from loadstone.workload.recorder import Recorder
from loadstone.workload.reports import DISPATCH
from loadstone.workload.ticks import Ticker

NOT_SENT = "(not sent)"
UNFINISHED = "(unfinished)"
LEAST_GAP_NS = 250_000
"""Between two ticks: what falls due within it is handed out together, which saves wake-ups."""
POLL_S = 0.02


@dataclass(slots=True)
class Offered:
    """How the plan was carried out."""

    due: int = 0
    """Arrivals that fell due."""
    last: int = -1
    """The highest of them."""
    begun: int = 0
    """Of these, handed to a user."""
    not_sent: int = 0
    """Refused by a full backlog, or still waiting when the run was over."""
    unfinished: int = 0
    """Begun, but given up when the time to finish was over."""
    users: int = 0
    """Most users at once."""
    backlog: int = 0
    """Most work that waited at once."""
    scenario_errors: int = 0
    first_error: str = ""
    duration_s: float = 0.0

    @property
    def saturated(self) -> bool:
        """Whether some of the plan was never carried out."""
        return self.not_sent > 0


@dataclass(eq=False)
class OpenLoop:
    """Hands one plan's arrivals to one pool.

    Args:
        batches: the arrivals, as `Arrivals.batches` yields them.
        pool: the users.
        requests: takes what was never sent, beside what the clients record.
        schedule: takes `(dispatch)` lags, and iterations from their intended start.
        drain_s: how long work may go on after the last arrival.
    """

    batches: Iterator[Batch]
    pool: Pool
    requests: Recorder
    schedule: Recorder
    drain_s: float = 10.0
    offered: Offered = field(default_factory=Offered)
    _numbers: list[int] = field(default_factory=list)
    _due_ns: list[int] = field(default_factory=list)
    _at: int = 0
    _over: Event = field(default_factory=Event)
    _failure: BaseException | None = None

    def run(self, zero_ns: int) -> Offered:
        """Carry the plan out; its second 0 is at `zero_ns` of `time.perf_counter_ns`.

        Raises:
            MeasurementError: users of the scenario do not start.
        """
        self._zero_ns = zero_ns
        self._dispatch = self.schedule.endpoint(DISPATCH)
        self._ticker = Ticker(self._tick)
        self.pool.on_failure = self._fail
        try:
            if self._refill():
                self._ticker.arm(self._due_ns[0])
                self._over.wait()
            self._drain()
        finally:
            self._ticker.close()
        if self._failure is not None:
            raise self._failure
        self.offered.duration_s = (time.perf_counter_ns() - zero_ns) / 1e9
        return self._summary()

    def abort(self) -> None:
        """Hand out no more work; what is going on may finish."""
        self._ticker.disarm()
        self._over.set()

    def reshare(self, first: int, batches: Iterator[Batch]) -> bool:
        """Go on with `batches`, which differ from arrival `first` on; False: that came too late.

        Args:
            first: must not have been handed out yet.
            batches: without the arrivals that were handed out already.
        """
        if self._over.is_set():
            return next(batches, None) is None
        if self.offered.last >= first:
            return False
        self.batches = batches
        if self._refill():
            self._ticker.arm(self._due_ns[0])
        else:
            self.abort()
        return True

    def _tick(self) -> None:
        """Hand out what is due; called in the hub, where nothing may block."""
        try:
            self._hand_out()
        except Exception as error:  # noqa: BLE001 - in the hub it would only be printed
            self._fail(error)

    def _hand_out(self) -> None:
        clock, pool, record, offered = time.perf_counter_ns, self.pool, self.schedule.record, self.offered
        now = tick = clock()
        while True:
            due_ns = self._due_ns[self._at]
            if due_ns > now:
                now = clock()
                if due_ns > now:
                    break
            number = self._numbers[self._at]
            self._at += 1
            offered.due += 1
            offered.last = number
            record(self._dispatch, 0, due_ns, now, now)
            if not pool.offer(number, due_ns):
                self._refuse(due_ns, now)
            now = clock()
            if self._at == len(self._due_ns) and not self._refill():
                self.abort()
                return
        self._ticker.arm(max(self._due_ns[self._at], tick + LEAST_GAP_NS))

    def _refill(self) -> bool:
        batch = next(self.batches, None)
        if batch is None:
            return False
        self._numbers = batch.number.tolist()
        self._due_ns = (batch.due_ns + self._zero_ns).tolist()
        self._at = 0
        return True

    def _refuse(self, due_ns: int, now_ns: int) -> None:
        self.offered.not_sent += 1
        endpoint = self.requests.endpoint(NOT_SENT, self.pool.variant)
        self.requests.record(endpoint, Outcome.NOT_SENT, due_ns, now_ns, now_ns)

    def _drain(self) -> None:
        """Let what was begun and what waits go on for a while; then count it for what it is."""
        by = time.monotonic() + self.drain_s
        while (self.pool.backlog or self.pool.busy) and time.monotonic() < by and self._failure is None:
            gevent.sleep(POLL_S)
        now = time.perf_counter_ns()
        for due_ns in self.pool.abandon_backlog():
            self._refuse(due_ns, now)
        endpoint = self.requests.endpoint(UNFINISHED, self.pool.variant)
        for due_ns, begun_ns in self.pool.abandon_busy():
            self.offered.unfinished += 1
            self.requests.record(endpoint, Outcome.TIMEOUT, due_ns, begun_ns, now)

    def _fail(self, error: BaseException) -> None:
        self._failure = self._failure or error
        self.abort()

    def _summary(self) -> Offered:
        offered, pool = self.offered, self.pool
        offered.begun = offered.due - offered.not_sent
        offered.users, offered.backlog = pool.most_users_seen, pool.most_backlog_seen
        offered.scenario_errors, offered.first_error = pool.take_errors()
        return offered
