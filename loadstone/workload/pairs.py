"""One generation of paired requests, as the generator runs it."""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

import gevent
from gevent.event import Event
from locust import User
from locust.env import Environment

from loadstone.workload.host_pace import HostPace
from loadstone.workload.lockstep import Journey, make_journeys, meetings, stop_journeys
from loadstone.workload.pair_run import PairRun
from loadstone.workload.protocol import Measured, PairsDone, Progress, Ready, RunPairs, UserSteps
from loadstone.workload.steadiness import is_steady

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
UNSTEADY = 4
"""Warm-up times after which a server that still gets faster is measured all the same."""


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
    """Walk journeys of their own streams for at least `warm_s` and `warm_pairs`, until the pace is steady."""
    run = PairRun(plan, gap_s=0.0)
    journeys = make_journeys(plan, user_classes, environment, "warm")
    begin = time.monotonic()
    ends, last = begin + plan.warm_s, begin + 4 * plan.warm_s + 5

    def warm() -> bool:
        enough = time.monotonic() >= ends and run.pairs >= plan.warm_pairs
        return enough and (
            is_steady(run.service_s, len(plan.sides)) or time.monotonic() >= begin + UNSTEADY * plan.warm_s
        )

    try:
        for meeting in meetings(journeys, warm, deadline=last):
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
    host = HostPace(plan.pace_file)
    host.start()
    cpu = os.times()
    run.watch_cpu()
    zero_ns = time.perf_counter_ns()
    begin = time.monotonic()
    ends = begin + plan.measure_s

    def over() -> bool:
        if run.pairs >= plan.max_pairs:
            return True
        return time.monotonic() >= ends and (plan.generation > 0 or _told(journeys))

    _walk(plan, journeys, run, over, send)
    run.settle_cpu()
    duration_s = time.monotonic() - begin
    spent = os.times()
    host.stop()
    send(Measured())
    errors = [error for journey in journeys for error in journey.errors()]
    return PairsDone(
        rows=run.packed(zero_ns, host),
        spikes=run.spikes(),
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


def _walk(
    plan: RunPairs, journeys: list[Journey], run: PairRun, over: Callable[[], bool], send: Send
) -> None:
    """Walk the journeys, as many at once as pairs may be in flight; tell of progress."""
    deadline = time.monotonic() + plan.measure_s + GRACE_S
    said = [time.monotonic()]

    def drive(own: list[Journey]) -> None:
        for meeting in meetings(own, over, deadline):
            run.serve(meeting)
            now = time.monotonic()
            if now - said[0] >= PROGRESS_EVERY_S:
                said[0] = now
                send(Progress(pairs=run.pairs))

    if plan.in_flight == 1:
        drive(journeys)
        return
    drivers = [gevent.spawn(drive, journeys[first :: plan.in_flight]) for first in range(plan.in_flight)]
    try:
        gevent.joinall(drivers, raise_error=True)
    finally:
        gevent.killall(drivers)
