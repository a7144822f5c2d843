"""One generation of paired requests, as the generator runs it."""

from __future__ import annotations

import gc
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

import gevent
from gevent.event import Event
from locust import User
from locust.env import Environment

from loadstone.errors import MeasurementError
from loadstone.record.observations import rows_from_list
from loadstone.stats.streams import stream_seed
from loadstone.workload.exchange import Observation, send_timed
from loadstone.workload.lockstep import Journey, Meeting, make_journeys, meetings, stop_journeys
from loadstone.workload.protocol import Measured, PairsDone, Progress, Ready, RunPairs, UserSteps
from loadstone.workload.sequences import SequenceHash
from loadstone.workload.twins import Request, Twin

GAP_MIN_S = 0.010
GAP_MAX_S = 0.100
GAP_SERVICE_TIMES = 2.0
PROGRESS_EVERY_S = 0.25
SEQUENCE_PREFIX = 8
"""Requests of every user that the first generation waits for, so that two seeded runs can be compared."""
GRACE_S = 60.0
"""A generation that has not ended by its time plus this is stuck."""
ALIVE_EVERY_S = 5.0
CONNECT_S = 5.0
MOST_STEPS = 300
"""Distinct names of requests; more of them say nothing about any."""


@dataclass(slots=True)
class _Pair:
    number: int
    meeting: Meeting
    order: list[int]
    gap: bool


@dataclass
class PairRun:
    """Walks journeys pair by pair and keeps one row per request."""

    plan: RunPairs
    gap_s: float
    rows: list[tuple[Observation, tuple[int, ...]]] = field(default_factory=list)
    steps: dict[str, int] = field(default_factory=dict)
    pairs: int = 0
    service_s: list[float] = field(default_factory=list)
    hashes: dict[int, SequenceHash] = field(default_factory=dict)

    def serve(self, meeting: Meeting) -> None:
        """Send the requests of one meeting back to back and let the twins go on."""
        if not meeting.timed:
            for _, twin, request in meeting.requests:
                twin.resume(send_timed(request, Observation()))
            return
        self._send_pair(self._plan_pair(meeting))

    def _plan_pair(self, meeting: Meeting) -> _Pair:
        """Order and gap are functions of (seed, lane, generation, user, ordinal)."""
        journey = meeting.journey
        plan, ordinal = self.plan, journey.ordinal
        journey.ordinal += 1
        where = (plan.seed, "pair", plan.generation, journey.user)
        order = list(range(len(meeting.requests)))
        if len(order) > 1:
            random.Random(stream_seed(*where, "order", ordinal)).shuffle(order)  # noqa: S311 - not secret
        gap = stream_seed(*where, "gap", ordinal) / 2**64 < plan.gap_share
        return _Pair(self.pairs, meeting, order, gap)

    def _send_pair(self, pair: _Pair) -> None:
        meeting = pair.meeting
        replies = {}
        for position, place in enumerate(pair.order):
            index, twin, request = meeting.requests[place]
            if pair.gap:
                gevent.sleep(self.gap_s)
            observation = Observation()
            replies[index] = (twin, send_timed(request, observation))
            self._note(pair, position, index, twin, request, observation)
        self.pairs += 1
        for index, twin, request in meeting.requests:
            if index == 0:
                chain = self.hashes.setdefault(meeting.journey.user, SequenceHash())
                chain.add(request, twin.base_url)
        for twin, reply in replies.values():
            twin.resume(reply)

    def _note(
        self, pair: _Pair, position: int, index: int, twin: Twin, request: Request, observation: Observation
    ) -> None:
        step = self.steps.setdefault(request.step, len(self.steps))
        if len(self.steps) > MOST_STEPS:
            raise MeasurementError(
                f"the scenario sends more than {MOST_STEPS} requests of different names",
                cause=f"the last one is {request.step!r}",
                remedy='give requests whose paths differ one name: self.client.get(path, name="/item")',
            )
        user = pair.meeting.journey.user
        fixed = (pair.number, step, user, twin.iteration, index, position, pair.gap, pair.meeting.paired)
        self.rows.append((observation, fixed))
        self.service_s.append((observation.end_ns - observation.start_ns) / 1e9)

    def packed(self, zero_ns: int) -> bytes:
        """Return the rows as bytes of `observations.ROW`, times relative to `zero_ns`."""
        table = [
            (
                *fixed,
                int(observation.outcome()),
                observation.status,
                min((observation.end_ns - observation.start_ns) // 1000, 2**31 - 1),
                (observation.start_ns - zero_ns) // 1000,
            )
            for observation, fixed in self.rows
        ]
        return rows_from_list(table).tobytes()


Send = Callable[[Ready | Progress | Measured], None]


def run_pairs(
    plan: RunPairs,
    user_classes: list[type[User]],
    environment: Environment,
    send: Send,
    wait_go: Callable[[], None],
) -> PairsDone:
    """Warm every side up, report ready, measure when told to, and stop the users when told to."""
    journeys: list[Journey] = []
    try:
        with _signs_of_life(send):
            warm = _warm_up(plan, user_classes, environment)
            journeys += make_journeys(plan, user_classes, environment, "pair")
            run = PairRun(plan, gap_s=_gap(warm.service_s))
            _finish_starts(journeys, run, plan)
        with _no_garbage_collection():
            send(Ready(warm_pairs=warm.pairs))
            wait_go()
            done = _measure(plan, journeys, run, send)
            wait_go()
            return done
    finally:
        stop_journeys(journeys)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


@contextmanager
def _signs_of_life(send: Send) -> Iterator[None]:
    """Say now and then that the generator is alive, beside what is too long to say it itself."""
    over = Event()

    def tell() -> None:
        while not over.wait(ALIVE_EVERY_S):
            send(Progress(pairs=0))

    teller = gevent.spawn(tell)
    try:
        yield
    finally:
        over.set()
        teller.join()  # not killed, so that no message is cut in two


def _warm_up(plan: RunPairs, user_classes: list[type[User]], environment: Environment) -> PairRun:
    """Walk journeys of their own streams for at least `warm_s` and `warm_pairs`."""
    run = PairRun(plan, gap_s=0.0)
    journeys = make_journeys(plan, user_classes, environment, "warm")
    begin = time.monotonic()
    ends, last = begin + plan.warm_s, begin + 4 * plan.warm_s + 5
    try:
        for meeting in meetings(
            journeys, lambda: time.monotonic() >= ends and run.pairs >= plan.warm_pairs, deadline=last
        ):
            run.serve(meeting)
    finally:
        stop_journeys(journeys)
    return run


def _gap(service_s: list[float]) -> float:
    """A quiet gap outlasts the work that a request may leave behind: two typical service times."""
    typical = statistics.median(service_s) if service_s else 0.0
    return min(GAP_MAX_S, max(GAP_MIN_S, GAP_SERVICE_TIMES * typical))


def _finish_starts(journeys: list[Journey], run: PairRun, plan: RunPairs) -> None:
    """Run every `on_start` untimed, and open every twin's connection."""
    deadline = time.monotonic() + GRACE_S
    for journey in journeys:
        journey.settle()
        while not journey.started() and not any(twin.finished for twin in journey.twins):
            meeting = journey.next_meeting(deadline)
            if meeting is None:
                break
            run.serve(meeting)
            journey.settle()
        for twin in journey.twins:
            if twin.raw_request is not None and not twin.finished:
                # a server that refuses shows by the timed requests
                with suppress(Exception):
                    ask = partial(twin.raw_request, "GET", plan.health_path, name="connect")
                    gevent.with_timeout(CONNECT_S, ask, timeout_value=None)


def _told(journeys: list[Journey]) -> bool:
    """Whether every user has sent what the run's sequence hash covers; asked of the first generation."""
    return all(journey.over or journey.ordinal >= SEQUENCE_PREFIX for journey in journeys)


def _measure(plan: RunPairs, journeys: list[Journey], run: PairRun, send: Send) -> PairsDone:
    cpu = os.times()
    zero_ns = time.perf_counter_ns()
    begin = last_said = time.monotonic()
    ends = begin + plan.measure_s

    def over() -> bool:
        if run.pairs >= plan.max_pairs:
            return True
        return time.monotonic() >= ends and (plan.generation > 0 or _told(journeys))

    for meeting in meetings(journeys, over, deadline=ends + GRACE_S):
        run.serve(meeting)
        now = time.monotonic()
        if now - last_said >= PROGRESS_EVERY_S:
            last_said = now
            send(Progress(pairs=run.pairs))
    duration_s = time.monotonic() - begin
    spent = os.times()
    send(Measured())
    errors = [error for journey in journeys for error in journey.errors()]
    return PairsDone(
        rows=run.packed(zero_ns),
        steps=list(run.steps),
        users=[
            UserSteps(user=user, steps=chain.count, checkpoints=chain.checkpoints)
            for user, chain in sorted(run.hashes.items())
        ],
        pairs=run.pairs,
        diverged=sum(journey.divergences for journey in journeys),
        iterations=sum(journey.iterations for journey in journeys),
        duration_s=duration_s,
        generator_cpu_s=spent.user + spent.system - cpu.user - cpu.system,
        scenario_errors=len(errors),
        first_error=errors[0] if errors else "",
        stopped_early="" if over() else "every user of the scenario stopped by itself",
    )
