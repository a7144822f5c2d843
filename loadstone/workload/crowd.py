"""The closed model: a number of users who think between their tasks, run by Locust's own runner.

Each waits for its answer before it goes on, so a slow server is asked less: what is
measured is what such a crowd sees, not what a given rate of requests would.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from typing import Any

import gevent
from locust import LoadTestShape, User, events
from locust.argument_parser import get_parser
from locust.env import Environment
from locust.runners import LocalRunner

from loadstone.errors import MeasurementError
from loadstone.secrecy import told
from loadstone.stats.streams import Part, stream
from loadstone.workload.blocks import Teller, no_garbage_collection
from loadstone.workload.load_protocol import RunCrowd
from loadstone.workload.openloop import Offered
from loadstone.workload.recorder import Recorder
from loadstone.workload.redirects import hold_user
from loadstone.workload.reporting import reporting_of
from loadstone.workload.reports import Outbox
from loadstone.workload.streams import adopt_stream

POLL_S = 0.05
STOP_S = 10
"""Seconds that users may take to finish their task; Locust's own `stop_timeout`."""


def run_crowd(
    order: RunCrowd,
    classes: Sequence[type[User]],
    shapes: Sequence[LoadTestShape],
    outbox: Outbox,
) -> None:
    """Run users for a while, or as long as the locustfile's shape wants, and report all of it.

    Raises:
        MeasurementError: the tags leave nothing to do.
    """
    environment = _environment(order, classes, shapes)
    runner = environment.create_local_runner()
    zero_ns = time.perf_counter_ns()
    requests, schedule = Recorder(zero_ns), Recorder(zero_ns)
    reporting = reporting_of(environment)
    reporting.record_into(requests)
    offered, errors = Offered(), _Errors(environment)
    teller = Teller(requests, schedule, zero_ns, outbox, runner.quit, None)
    _prepare_users(order.key, order.base_url)
    try:
        with no_garbage_collection():
            teller.start()
            _run(runner, order, offered)
            offered.duration_s = (time.perf_counter_ns() - zero_ns) / 1e9
            offered.scenario_errors, offered.first_error = errors.count, errors.first
            reporting.record_into(None)
            teller.finish(offered)
    finally:
        reporting.record_into(None)
        teller.stop()
        runner.quit()


def _environment(
    order: RunCrowd, classes: Sequence[type[User]], shapes: Sequence[LoadTestShape]
) -> Environment:
    return Environment(
        user_classes=list(classes),
        shape_class=shapes[0] if shapes else None,
        tags=order.tags or None,
        exclude_tags=order.exclude_tags or None,
        events=events,
        host=order.base_url,
        stop_timeout=STOP_S,
        catch_exceptions=True,
        parsed_options=get_parser().parse_args(args=["--headless", "--host", order.base_url]),
    )


def _run(runner: LocalRunner, order: RunCrowd, offered: Offered) -> None:
    shape = runner.environment.shape_class
    ends = time.monotonic() + order.seconds
    if shape is not None:
        _take_part(shape, order.place, order.workers)
        shape.runner = runner
        shape.reset_time()
        runner.start_shape()
        gevent.sleep(POLL_S)
    else:
        runner.start(order.users, order.spawn_rate)
    if not any(kind.tasks for kind in runner.user_classes):
        raise MeasurementError("the tags leave no task to do", remedy="name a tag that some task has")
    while time.monotonic() < ends and runner.state not in {"stopped", "stopping", "cleanup"}:
        offered.users = max(offered.users, runner.user_count)
        gevent.sleep(POLL_S)
    runner.stop()


def _take_part(shape: LoadTestShape, place: int, workers: int) -> None:
    """Let a shape ask for this worker's part of the users that it wants altogether."""
    whole: Any = shape.tick

    def tick() -> Any:  # noqa: ANN401 - what Locust's shapes return
        wanted = whole()
        if wanted is None:
            return None
        users, rate, *rest = wanted
        return (users // workers + (place < users % workers), rate / workers, *rest)

    if workers > 1:
        shape.tick = tick  # type: ignore[method-assign]  # Locust asks the instance


class _Errors:
    """What the scenario raised."""

    def __init__(self, environment: Environment) -> None:
        self.count, self.first = 0, ""
        environment.events.user_error.add_listener(self._note)

    def _note(self, exception: BaseException, **_: Any) -> None:  # noqa: ANN401 - Locust's keywords
        self.count += 1
        self.first = self.first or told(exception)


def _prepare_users(key: Sequence[Part], base_url: str) -> None:
    """Give users that start from now on a random stream each, by order of starting; hold them to the host."""
    ordinals = itertools.count()

    def start(self: User, group: Any) -> Any:  # noqa: ANN401 - gevent's types, as in Locust
        mine = stream(*key, "user", next(ordinals))
        hold_user(self, base_url)

        def run_user(user: User) -> None:
            adopt_stream(mine)
            user.run()

        self._greenlet = group.spawn(run_user, self)
        self._group = group
        return self._greenlet

    User.start = start  # type: ignore[method-assign]  # Locust has no hook
