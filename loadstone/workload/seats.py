"""A user's seat in a pool, and how Locust's task sets come to wait for work.

A seat is what the pool and a user know of each other. Task sets look for it on their
user: before they choose a task, before they execute one that is a function, and
instead of thinking between tasks. Users without a seat are left alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gevent
from locust import SequentialTaskSet, User
from locust.exception import (
    InterruptTaskSet,
    RescheduleTask,
    RescheduleTaskImmediately,
    StopTest,
    StopUser,
)
from locust.user.markov_taskset import MarkovTaskSet
from locust.user.task import DefaultTaskSet, TaskSet

from loadstone.record.observations import Outcome
from loadstone.stats.streams import QuickRandom
from loadstone.workload.due import UNTIMED, clear_due, set_due

if TYPE_CHECKING:
    from loadstone.workload.pool import Pool

SEAT = "loadstone_seat"
_FLOW = (StopTest, StopUser, InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately)
"""Exceptions by which tasks steer Locust; they are no errors."""


class Seat:
    """One user's place in its pool."""

    __slots__ = (
        "begun_ns", "busy", "doing", "due_ns", "given_up", "greenlet", "number", "place", "pool", "started",
        "stream", "user",
    )  # fmt: skip

    def __init__(self, pool: Pool, user: User, place: int) -> None:
        self.pool = pool
        self.user = user
        self.place = place
        """Index of its class."""
        self.stream = QuickRandom(0)
        self.busy = self.started = False
        self.given_up = False
        """Whether its work was ended before it was done."""
        self.doing = ""
        """Name of the task that it executes."""
        self.number = self.due_ns = self.begun_ns = 0
        self.greenlet: Any = None

    def await_work(self) -> None:
        """Park until there is work, unless the user is at work already.

        Raises:
            GreenletExit: it was disowned.
        """
        if self.busy:
            return
        if self.given_up:
            raise gevent.GreenletExit
        self.pool.park(self)
        self.busy = True
        self.pool.busy += 1
        self.stream.reseed(self.pool.family, self.number)
        set_due(self.due_ns)
        self.begun_ns = time.perf_counter_ns()

    def disown(self) -> None:
        """Be done with a user that took no notice of its end: whatever it still does is not recorded."""
        UNTIMED[self.greenlet] = 1
        self.given_up = True
        self.end_work(Outcome.TIMEOUT)

    def end_work(self, outcome: Outcome) -> None:
        """Record the iteration that is over."""
        if self.busy:
            self.busy = False
            self.pool.busy -= 1
            clear_due()
            now = time.perf_counter_ns()
            self.pool.record(self.doing, outcome, self.due_ns, self.begun_ns, now)


def install() -> None:
    """Teach Locust's task sets to wait for work; only users that sit in a pool do."""
    for owner in (TaskSet, DefaultTaskSet, SequentialTaskSet, MarkovTaskSet):
        owner.get_next_task = _when_due(owner.get_next_task)  # type: ignore[method-assign]  # Locust has no hook
    for owner in (TaskSet, DefaultTaskSet):
        owner.execute_task = _as_work(owner.execute_task)  # type: ignore[method-assign]  # as above
    sleep: Any = TaskSet._sleep  # noqa: SLF001 - as above

    def think(self: TaskSet, seconds: float) -> None:
        if getattr(self.user, SEAT, None) is None:
            sleep(self, seconds)

    TaskSet._sleep = think  # type: ignore[method-assign]  # noqa: SLF001 - as above


def _when_due(choose: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def get_next_task(self: TaskSet) -> Any:  # noqa: ANN401 - functions and classes, as Locust's
        seat: Seat | None = getattr(self.user, SEAT, None)
        if seat is not None:
            seat.await_work()
        return choose(self)

    return get_next_task


def _as_work(execute: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    def execute_task(self: TaskSet, task: Any) -> None:  # noqa: ANN401 - as above
        seat: Seat | None = getattr(self.user, SEAT, None)
        if seat is None or (isinstance(task, type) and issubclass(task, TaskSet)):
            execute(self, task)
            return
        seat.await_work()
        seat.doing = f"{type(self.user).__name__}.{getattr(task, '__name__', 'task')}"
        outcome = Outcome.OK
        try:
            execute(self, task)
        except gevent.GreenletExit:
            outcome = Outcome.TIMEOUT
            seat.given_up = True
            raise
        except BaseException as error:
            if not isinstance(error, _FLOW):
                seat.pool.blame(error)
                outcome = Outcome.CHECK_FAILED
            raise
        finally:
            seat.end_work(outcome)

    return execute_task
