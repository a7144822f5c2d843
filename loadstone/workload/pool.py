"""Locust users that wait for work, and take it one iteration at a time.

A user of the pool walks through Locust's own `User.run`: `on_start`, then tasks. What
differs is when: before it chooses its next task it parks until there is work for it,
and between tasks it does not think, as the plan decides when work arrives. Users of
other classes of the same process, and of other pools, are left alone.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import gevent
from gevent.pool import Group
from locust import User
from locust.env import Environment
from locust.exception import StopTest, StopUser
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_WAITING

from loadstone.errors import MeasurementError
from loadstone.record.observations import Outcome
from loadstone.secrecy import told
from loadstone.stats.streams import Part, stream_seed
from loadstone.workload.due import forget, set_variant, untimed
from loadstone.workload.recorder import Recorder
from loadstone.workload.redirects import hold_user
from loadstone.workload.seats import SEAT, Seat
from loadstone.workload.streams import adopt_stream

STARTING_AT_ONCE = 50
"""Users that may be in `on_start` together, so that growing does not become a load of its own."""
FALSE_STARTS = 20
"""Users in a row that may end before they take any work."""
START_TIMEOUT_S = 60.0
STOP_S = 2.0


class Pool:
    """Users of one variant.

    Args:
        classes: user classes in the order in which arrivals take them, by weight.
        environment: Locust's, whose events the users fire.
        base_url: the variant's; None leaves each class its own host.
        schedule: takes the iterations.
        key: names the users' random streams: seed, lane, generation. Not the variant.
        most_users: at once.
        most_backlog: pieces of work that may wait for a user.
        variant: index of the variant.
    """

    def __init__(
        self,
        classes: Sequence[type[User]],
        environment: Environment,
        base_url: str | None,
        schedule: Recorder,
        key: tuple[Part, ...],
        *,
        most_users: int = 1000,
        most_backlog: int = 10_000,
        variant: int = 0,
    ) -> None:
        self._order = list(classes)
        self._kinds = list(dict.fromkeys(classes))
        self._place = [self._kinds.index(one) for one in self._order]
        self._environment = environment
        self._base_url = base_url
        self._schedule = schedule
        self.variant = variant
        self._key = key
        self.family = stream_seed(*key, "arrival")
        self._most_users = max(most_users, len(self._kinds))
        self._most_backlog = most_backlog
        self._group = Group()
        self._seats: set[Seat] = set()
        self._idle: list[list[Seat]] = [[] for _ in self._kinds]
        self._waiting: list[deque[tuple[int, int]]] = [deque() for _ in self._kinds]
        self._starting = [0 for _ in self._kinds]
        self._made = 0
        self.living = 0
        """Users that there are, starting ones included."""
        self._false_starts = 0
        self._errors: list[str] = []
        self._endpoints: dict[str, int] = {}
        self.backlog = self.busy = self.most_users_seen = self.most_backlog_seen = 0
        self.on_failure: Callable[[BaseException], None] = lambda _error: None

    def switch_recorder(self, schedule: Recorder, key: tuple[Part, ...]) -> None:
        """Record iterations elsewhere, and draw from other streams, from the next piece of work on."""
        self._schedule, self._endpoints = schedule, {}
        self.family = stream_seed(*key, "arrival")

    def prepare(self, users: int) -> None:
        """Start `users` users, at least one of each class, and wait until they are through `on_start`.

        Raises:
            MeasurementError: they do not get there.
        """
        failed: list[BaseException] = []
        self.on_failure = failed.append
        wanted = [
            max(1, round(users * self._place.count(place) / len(self._place))) for place in self._places
        ]
        by = time.monotonic() + START_TIMEOUT_S
        while any(len(idle) < count for idle, count in zip(self._idle, wanted, strict=True)):
            for place in self._places:
                if len(self._idle[place]) + self._starting[place] < wanted[place]:
                    self._grow(place)
            gevent.sleep(0.005)
            if failed:
                raise failed[0]
            if time.monotonic() > by:
                raise MeasurementError(
                    "the scenario's users do not start",
                    cause=next(iter(self._errors), f"on_start took over {START_TIMEOUT_S:.0f} s"),
                    remedy="run the scenario with stock Locust and mend its on_start",
                )

    def offer(self, number: int, due_ns: int) -> bool:
        """Hand arrival `number` to a free user, or let it wait; False: too much waits already."""
        place = self._place[number % len(self._place)]
        idle = self._idle[place]
        if idle and not self._waiting[place]:
            seat = idle.pop()  # the last one in: its connection and its memory are warm
            seat.number, seat.due_ns = number, due_ns
            seat.greenlet.switch()
            return True
        if self.backlog >= self._most_backlog:
            return False
        self._waiting[place].append((number, due_ns))
        self.backlog += 1
        self.most_backlog_seen = max(self.most_backlog_seen, self.backlog)
        self._grow_if_needed(place)
        return True

    def park(self, seat: Seat) -> None:
        """Return once `seat` holds work: at once where some waits, else when it is offered."""
        self._settle(seat)
        waiting = self._waiting[seat.place]
        if waiting:
            seat.number, seat.due_ns = waiting.popleft()
            self.backlog -= 1
            self._grow_if_needed(seat.place)
            return
        idle = self._idle[seat.place]
        idle.append(seat)
        user: Any = seat.user
        user._state = LOCUST_STATE_WAITING  # noqa: SLF001 - so that Locust stops it at once
        try:
            gevent.get_hub().switch()
        except BaseException:
            with suppress(ValueError):
                idle.remove(seat)
            raise
        user._state = LOCUST_STATE_RUNNING  # noqa: SLF001 - as above

    def record(self, name: str, outcome: Outcome, due_ns: int, begun_ns: int, end_ns: int) -> None:
        """Record an iteration."""
        endpoint = self._endpoints.get(name)
        if endpoint is None:
            endpoint = self._endpoints[name] = self._schedule.endpoint(name, self.variant)
        self._schedule.record(endpoint, outcome, due_ns, begun_ns, end_ns)

    def blame(self, error: BaseException) -> None:
        """Note what the scenario raised."""
        self._errors.append(told(error))

    def take_errors(self) -> tuple[int, str]:
        """Return how often the scenario raised since the last time, and what it raised first."""
        errors, self._errors = self._errors, []
        return len(errors), next(iter(errors), "")

    def abandon_backlog(self) -> list[int]:
        """Forget the work that waits; return when it was due."""
        due = sorted(due_ns for waiting in self._waiting for _, due_ns in waiting)
        for waiting in self._waiting:
            waiting.clear()
        self.backlog = 0
        return due

    def abandon_busy(self) -> list[tuple[int, int]]:
        """End the users that are still at work; return when each one's was due, and begun.

        Some are through by themselves before their end reaches them: their answers were there,
        and nobody had looked. Their work is counted already, and is not returned. Others take no
        notice of their end; they are disowned, and leave when they come for work again.
        """
        late = [seat for seat in self._seats if seat.busy]
        with suppress(gevent.Timeout):
            gevent.killall([seat.greenlet for seat in late], timeout=STOP_S)
        for seat in late:
            if seat.busy:
                seat.disown()
        return [(seat.due_ns, seat.begun_ns) for seat in late if seat.given_up]

    def stop(self) -> None:
        """End all users; their `on_stop` runs."""
        self._group.kill(timeout=STOP_S)

    @property
    def _places(self) -> range:
        return range(len(self._kinds))

    def _grow_if_needed(self, place: int) -> None:
        if self._starting[place] < len(self._waiting[place]):
            self._grow(place)

    def _grow(self, place: int) -> None:
        starting = sum(self._starting)
        if self.living < self._most_users and starting < STARTING_AT_ONCE:
            self._starting[place] += 1
            self.living += 1
            self._group.spawn(self._live, place, self._made)
            self._made += 1

    def _live(self, place: int, ordinal: int) -> None:
        """Be one user, from its making to its end; the body of its greenlet."""
        seat: Seat | None = None
        try:
            seat = self._make(place, ordinal)
            seat.user.run()
        except (StopUser, StopTest, gevent.GreenletExit):
            pass
        except Exception as error:  # noqa: BLE001 - a scenario may raise anything; it is reported
            self.blame(error)
        finally:
            forget()
            self._leave(place, seat)

    def _make(self, place: int, ordinal: int) -> Seat:
        kind = self._kinds[place]
        user = kind.__new__(kind)
        if self._base_url is not None:
            user.host = self._base_url
        type(user).__init__(
            user, self._environment
        )  # by hand: the host belongs to the user, not to its class
        if self._base_url is not None:
            hold_user(user, self._base_url)
        seat = Seat(self, user, place)
        setattr(user, SEAT, seat)
        current: Any = gevent.getcurrent()
        user._greenlet, user._group, seat.greenlet = current, self._group, current  # noqa: SLF001 - as User.start
        seat.stream.seed(stream_seed(*self._key, "start", ordinal))
        adopt_stream(seat.stream)
        set_variant(self.variant)
        user.on_start = _unmeasured(user.on_start)  # type: ignore[method-assign]  # Locust has no hook
        self._seats.add(seat)
        self.most_users_seen = max(self.most_users_seen, len(self._seats))
        return seat

    def _settle(self, seat: Seat) -> None:
        """Note that a user is through `on_start`."""
        if not seat.started:
            seat.started = True
            self._starting[seat.place] -= 1
            self._false_starts = 0

    def _leave(self, place: int, seat: Seat | None) -> None:
        self.living -= 1
        if seat is not None:
            self._seats.discard(seat)
            if seat.started:
                self._grow_if_needed(place)
                return
        self._starting[place] -= 1
        self._false_starts += 1
        if self._false_starts >= FALSE_STARTS:
            cause = next(iter(self._errors), "they stop before their first task")
            self.on_failure(MeasurementError("the scenario's users do not start", cause=cause))
            return
        self._grow_if_needed(place)


def _unmeasured(step: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        with untimed():
            step()

    return run
