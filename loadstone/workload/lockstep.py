"""Journeys of twins, resumed one at a time so that one request is on the wire at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import gevent
from locust import User
from locust.env import Environment

from loadstone.errors import MeasurementError
from loadstone.workload.protocol import Walk
from loadstone.workload.twins import Request, Twin, make_twin

SETTLE_TIMEOUT_S = 60.0
"""How long scenario code may run between two requests before the journey counts as stuck."""
STOP_S = 2.0
"""How long all users together may take to stop, requests of `on_stop` included."""
KILL_S = 0.5


@dataclass(frozen=True, slots=True)
class Meeting:
    """What the twins of one journey want to send now."""

    journey: Journey
    requests: tuple[tuple[int, Twin, Request], ...]
    """(variant index, twin, request), in the order of the variants."""
    paired: bool
    timed: bool
    """False while `on_start` runs."""


@dataclass(eq=False)
class Journey:
    """One user's journey, walked by a twin per variant."""

    user: int
    twins: list[Twin]
    diverged: bool = False
    divergences: int = 0
    iterations: int = 0
    over: bool = False
    ordinal: int = 0
    """Timed requests of the baseline so far: keys the order and gap of the next pair."""
    greenlets: list[gevent.Greenlet[..., None]] = field(default_factory=list)

    def start(self) -> None:
        """Let the twins walk to their first request."""
        self.greenlets = [gevent.spawn(twin.run) for twin in self.twins]

    def next_meeting(self, deadline: float) -> Meeting | None:
        """Return what the twins want to send, or None when the journey is over.

        Args:
            deadline: on `time.monotonic`, after which a journey without requests gives up.
        """
        while not self.over and time.monotonic() < deadline:
            self.settle()
            if any(twin.finished for twin in self.twins):
                self.over = True
                break
            if all(twin.at_boundary for twin in self.twins):
                self._pass_boundary()
                continue
            return self._meeting()
        return None

    def started(self) -> bool:
        """Tell whether every twin has finished `on_start`."""
        return all(twin.started and twin.at_boundary for twin in self.twins)

    def errors(self) -> list[str]:
        """Return what the scenario raised on any twin."""
        return [error for twin in self.twins for error in twin.errors]

    def settle(self) -> None:
        """Wait until every twin parks; raises `MeasurementError` when one never does."""
        for twin in self.twins:
            if not twin.parked.wait(SETTLE_TIMEOUT_S):
                raise MeasurementError(
                    f"user {self.user} of the scenario is stuck",
                    cause=f"no request and no end of iteration for {SETTLE_TIMEOUT_S:.0f} s",
                    remedy="look for a sleep or an endless loop in the scenario's tasks",
                )

    def _pass_boundary(self) -> None:
        self.diverged = False
        self.iterations += 1
        for twin in self.twins:
            twin.resume()

    def _meeting(self) -> Meeting:
        wants = [
            (index, twin, twin.request) for index, twin in enumerate(self.twins) if twin.request is not None
        ]
        requests = tuple((index, twin, request) for index, twin, request in wants if request is not None)
        same_step = (
            len(requests) == len(self.twins) and len({request.step for _, _, request in requests}) == 1
        )
        if not same_step and not self.diverged:
            self.diverged = True
            # a failed request makes journeys part, and shows as an error already
            self.divergences += all(twin.all_well() for twin in self.twins)
        timed = all(twin.started for twin in self.twins)
        return Meeting(self, requests, paired=not self.diverged, timed=timed)


def make_journeys(
    walk: Walk, user_classes: list[type[User]], environment: Environment, purpose: str
) -> list[Journey]:
    """Return the journeys of `walk.users` users, started, each with a twin per side.

    Streams are named by (seed, purpose, generation, user): equal for all twins of a user.
    """
    journeys = []
    for user in range(walk.users):
        user_class = user_classes[user % len(user_classes)]
        key = (walk.seed, purpose, walk.generation, user)
        twins = [make_twin(user_class, environment, side.base_url, key) for side in walk.sides]
        journeys.append(Journey(user=user, twins=twins))
    for journey in journeys:
        journey.start()
    return journeys


def stop_journeys(journeys: list[Journey]) -> None:
    """End all journeys together; what does not end in time is killed."""
    by = time.monotonic() + STOP_S
    for journey in journeys:
        for twin, greenlet in zip(journey.twins, journey.greenlets, strict=True):
            busy = not twin.parked.is_set()
            twin.stop(by)
            if busy:
                greenlet.kill(block=False)
    greenlets = [greenlet for journey in journeys for greenlet in journey.greenlets]
    gevent.joinall(greenlets, timeout=STOP_S)
    gevent.killall(greenlets, timeout=KILL_S)


def meetings(journeys: list[Journey], until: Callable[[], bool], deadline: float) -> Iterator[Meeting]:
    """Yield meetings round robin over the journeys until `until()` or all are over.

    The consumer answers each request through `Twin.resume` before it asks for the next meeting.
    """
    while not until() and time.monotonic() < deadline:
        alive = False
        for journey in journeys:
            if until():
                return
            meeting = journey.next_meeting(deadline)
            if meeting is None:
                continue
            alive = True
            yield meeting
            journey.settle()
        if not alive:
            return


def weighted_classes(classes: list[type[User]]) -> list[type[User]]:
    """Return user classes in the order in which users are handed out, by weight.

    Largest-remainder interleaving, so that any prefix is as close to the weights as it can be.
    """
    total = sum(float(cls.weight) for cls in classes)
    if total <= 0:
        return list(classes)
    credit = dict.fromkeys(classes, 0.0)
    order: list[type[User]] = []
    for _ in range(max(64, len(classes))):
        for cls in classes:
            credit[cls] += float(cls.weight) / total
        best = max(classes, key=lambda cls: credit[cls])
        credit[best] -= 1.0
        order.append(best)
    return order
