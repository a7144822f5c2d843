"""One generation of paired requests, as the generator runs it."""

from __future__ import annotations

import gc
import hashlib
import os
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import gevent
from locust import User
from locust.env import Environment

from loadstone.record.observations import rows_from_list
from loadstone.stats.streams import stream_seed
from loadstone.workload.exchange import Observation, send_timed
from loadstone.workload.lockstep import Journey, Meeting, make_journeys, meetings
from loadstone.workload.protocol import PairsDone, Progress, Ready, RunPairs, UserSteps
from loadstone.workload.twins import Request, Twin

GAP_MIN_S = 0.010
GAP_MAX_S = 0.100
GAP_SERVICE_TIMES = 2.0
PROGRESS_EVERY_S = 0.25
GRACE_S = 60.0
"""A generation that has not ended by its time plus this is stuck."""


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
    hashes: dict[int, _StepHash] = field(default_factory=dict)

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
        for twin, reply in replies.values():
            twin.resume(reply)

    def _note(
        self, pair: _Pair, position: int, index: int, twin: Twin, request: Request, observation: Observation
    ) -> None:
        step = self.steps.setdefault(request.step, len(self.steps))
        user = pair.meeting.journey.user
        fixed = (pair.number, step, user, twin.iteration, index, position, pair.gap, pair.meeting.paired)
        self.rows.append((observation, fixed))
        self.service_s.append((observation.end_ns - observation.start_ns) / 1e9)
        if index == 0:
            self.hashes.setdefault(user, _StepHash()).add(request)

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


@dataclass
class _StepHash:
    """Hash chain of one user's requests, remembered at powers of two."""

    count: int = 0
    checkpoints: dict[int, str] = field(default_factory=dict)
    _chain: hashlib.blake2b = field(default_factory=lambda: hashlib.blake2b(digest_size=8))

    def add(self, request: Request) -> None:
        self._chain.update(f"{request.method}\x1f{request.step}\x1f{request.path}\x1e".encode())
        self.count += 1
        if self.count & (self.count - 1) == 0:
            self.checkpoints[self.count] = self._chain.hexdigest()


def run_pairs(
    plan: RunPairs,
    user_classes: list[type[User]],
    environment: Environment,
    send: Callable[[Ready | Progress], None],
    wait_go: Callable[[], None],
) -> PairsDone:
    """Warm every side up, report ready, and measure when told to."""
    warm = _warm_up(plan, user_classes, environment)
    journeys = make_journeys(plan, user_classes, environment, "pair")
    run = PairRun(plan, gap_s=_gap(warm.service_s))
    _finish_starts(journeys, run, plan)
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        send(Ready(warm_pairs=warm.pairs))
        wait_go()
        return _measure(plan, journeys, run, send)
    finally:
        gc.enable()
        gc.unfreeze()
        for journey in journeys:
            journey.stop()


def _warm_up(plan: RunPairs, user_classes: list[type[User]], environment: Environment) -> PairRun:
    """Walk journeys of their own streams for at least `warm_s` and `warm_pairs`."""
    run = PairRun(plan, gap_s=0.0)
    journeys = make_journeys(plan, user_classes, environment, "warm")
    begin = time.monotonic()
    ends, last = begin + plan.warm_s, begin + 4 * plan.warm_s + 5
    for meeting in meetings(
        journeys, lambda: time.monotonic() >= ends and run.pairs >= plan.warm_pairs, deadline=last
    ):
        run.serve(meeting)
    for journey in journeys:
        journey.stop()
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
                twin.raw_request("GET", plan.health_path, name="connect")


def _measure(
    plan: RunPairs, journeys: list[Journey], run: PairRun, send: Callable[[Ready | Progress], None]
) -> PairsDone:
    cpu = os.times()
    zero_ns = time.perf_counter_ns()
    begin = last_said = time.monotonic()
    ends = begin + plan.measure_s

    def over() -> bool:
        return time.monotonic() >= ends or run.pairs >= plan.max_pairs

    for meeting in meetings(journeys, over, deadline=ends + GRACE_S):
        run.serve(meeting)
        now = time.monotonic()
        if now - last_said >= PROGRESS_EVERY_S:
            last_said = now
            send(Progress(pairs=run.pairs))
    duration_s = time.monotonic() - begin
    spent = os.times()
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
