"""Twin users: one Locust user a variant, walking the same journey in lockstep.

A twin parks whenever it wants to send a request, and at the end of each
iteration; a driver resumes it. While the driver sends, every twin is parked, so
that no scenario code runs beside a timed request.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import gevent
from gevent.event import Event
from locust import User
from locust.env import Environment
from locust.exception import (
    InterruptTaskSet,
    RescheduleTask,
    RescheduleTaskImmediately,
    StopTest,
    StopUser,
)
from locust.user.task import DefaultTaskSet, TaskSet

from loadstone.secrecy import clean_address, told
from loadstone.workload.redirects import origin, stay_within
from loadstone.workload.streams import use_stream

if TYPE_CHECKING:
    from loadstone.workload.observation import Observation

TWIN = "loadstone_twin"
OBSERVATION = "loadstone_observation"
HEADERS = "loadstone_headers"
"""In a request's context: headers to send beside the scenario's, where a lane wants any."""


_FLOW = (StopTest, InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately)
"""Exceptions by which tasks steer Locust; they are no errors."""


class ForeignHostError(Exception):
    """A scenario tried to send load to a host that is not the variant under test."""


@dataclass(slots=True)
class Request:
    """A request that a parked twin wants to send."""

    method: str
    step: str
    path: str
    send: Callable[[dict[str, Any]], Any]
    """Sends it; takes what is added to Locust's request context."""
    content: tuple[Any, ...] = ()
    """Its query parameters and body, as the scenario gave them."""


@dataclass(slots=True)
class Reply:
    """What a driver gives back to a parked twin."""

    value: Any = None
    error: BaseException | None = None
    observation: Observation | None = None


@dataclass(eq=False)
class Twin:
    """One user of one variant, with its own cookies, ids and cursor links."""

    user: User
    base_url: str
    key: tuple[int | str, ...]
    """Names its random streams: seed, lane, generation, user."""
    request: Request | None = None
    at_boundary: bool = False
    finished: bool = False
    started: bool = False
    """True once `on_start` is over."""
    iteration: int = 0
    errors: list[str] = field(default_factory=list)
    """What the scenario raised of itself; an exception after a failed request is the server's."""
    sent: list[Observation] = field(default_factory=list)
    """The requests of this iteration so far."""
    tasks: set[Any] = field(default_factory=set)
    """The tasks of every task set entered so far: functions, and nested task sets."""
    walked: set[Any] = field(default_factory=set)
    """Those of them that were chosen at least once."""
    raw_request: Callable[..., Any] | None = None
    """The client's own request function, for requests that are no part of a journey."""
    parked: Event = field(default_factory=Event)
    _resume: Event = field(default_factory=Event)
    _reply: Reply | None = None
    _raised: BaseException | None = None
    _stop_by: float | None = None
    """Once stopping, on `time.monotonic`: until when requests of `on_stop` are sent."""

    def park(self, request: Request | None) -> Any:  # noqa: ANN401 - the scenario's own response type
        """Wait for the driver: with a request to send, or at an iteration's end.

        Nobody drives a twin that is stopping: it sends its last requests by itself.
        """
        if self._stop_by is not None:
            if request is None or time.monotonic() >= self._stop_by:
                raise gevent.GreenletExit
            return request.send({})
        self.request = request
        self.at_boundary = request is None
        self._resume.clear()
        self.parked.set()
        self._resume.wait()
        reply, self._reply = self._reply, None
        if reply is not None and reply.error is not None:
            raise reply.error
        return None if reply is None else reply.value

    def resume(self, reply: Reply | None = None) -> None:
        """Let the twin go on, with the outcome of its request."""
        self.request = None
        self.at_boundary = False
        self._reply = reply
        if reply is not None and reply.observation is not None:
            self.sent.append(reply.observation)
        self.parked.clear()
        self._resume.set()

    def stop(self, by: float) -> None:
        """End the twin where it is parked; its `on_stop` may send requests until `by`.

        GreenletExit, as Locust uses it: a scenario's `except Exception` does not catch it.
        """
        self._stop_by = by
        if self.parked.is_set() and not self.finished:
            self.resume(Reply(error=gevent.GreenletExit()))

    def all_well(self) -> bool:
        """Tell whether every request of this iteration so far was answered well."""
        return not any(observation.failed() for observation in self.sent)

    def knows_all_tasks(self) -> bool:
        """Tell whether every task that is known of was chosen."""
        return bool(self.tasks) and self.tasks <= self.walked

    def blame(self, error: BaseException) -> None:
        """Note an exception that left the scenario, once, unless a failed request led to it."""
        if error is not self._raised and self.all_well():
            self.errors.append(told(error))
        self._raised = error

    def run(self) -> None:
        """Walk the journey until stopped; the body of the twin's greenlet."""
        use_stream(*self.key, "start", 0)
        try:
            self.user.run()
        except (StopUser, gevent.GreenletExit):
            pass
        except Exception as error:  # noqa: BLE001 - a scenario may raise anything; it is reported
            self.blame(error)
        finally:
            self.finished = True
            self.parked.set()

    def begin_iteration(self) -> None:
        """Called before a task: the first one ends `on_start`."""
        if not self.started:
            self.started = True
            use_stream(*self.key, "iteration", 0)
            self._wait_for_the_others()

    def end_iteration(self) -> None:
        """Called after a task: the next one draws from a stream of its own."""
        self.iteration += 1
        use_stream(*self.key, "iteration", self.iteration)
        self._wait_for_the_others()

    def _wait_for_the_others(self) -> None:
        self.park(None)
        self.sent.clear()  # not before: the others' journeys may part from this one's failed request

    def wrap_client(self) -> None:
        """Route the requests of the user's HTTP client through the driver."""
        client = getattr(self.user, "client", None)
        original = getattr(client, "request", None)
        if client is None or original is None:
            return
        self.raw_request = original
        stay_within(client, self.base_url)

        def request(method: str, url: str, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as Locust's
            path = self._local_path(url)
            name = kwargs.get("name") or (args[0] if args else None) or client.request_name or path
            name = clean_address(str(name))
            step = name if name.startswith(f"{method} ") else f"{method} {name}"

            def send(context: dict[str, Any]) -> Any:  # noqa: ANN401 - as Locust's
                merged = {**(kwargs.get("context") or {}), **context}
                sent = {**kwargs, "context": merged}
                if headers := merged.pop(HEADERS, None):
                    sent["headers"] = {**headers, **(kwargs.get("headers") or {})}
                return original(method, url, *args, **sent)

            content = (*args[1:], *(kwargs.get(part) for part in ("params", "data", "json")))
            return self.park(Request(method, step, path, send, content))

        client.request = request

    def _local_path(self, url: str) -> str:
        parts = urlsplit(url)
        whole = url if parts.netloc else f"{self.base_url}{url}"
        if origin(whole) != origin(self.base_url):
            raise ForeignHostError(f"{whole} is not the variant under test")
        return parts._replace(scheme="", netloc="").geturl() if parts.netloc else url


def make_twin(
    user_class: type[User], environment: Environment, base_url: str, key: tuple[int | str, ...]
) -> Twin:
    """Return a parked-on-arrival twin of `user_class` that talks to `base_url`."""
    user = user_class.__new__(user_class)
    user.host = base_url
    # Initialised by hand, as the host must be known first and belongs to the twin, not to the class.
    type(user).__init__(user, environment)
    twin = Twin(user=user, base_url=base_url, key=key)
    setattr(user, TWIN, twin)
    twin.wrap_client()
    return twin


def on_user_error(user_instance: User | TaskSet, exception: BaseException, **_: object) -> None:
    """Listen to Locust's `user_error` event, which comes with a user or one of its task sets."""
    user = user_instance.user if isinstance(user_instance, TaskSet) else user_instance
    twin: Twin | None = getattr(user, TWIN, None)
    if twin is not None:
        twin.blame(exception)


def install_hooks() -> None:
    """Teach Locust's task sets where iterations end, and not to think between them.

    An iteration is one execution of a task that is a function; a task that is a
    nested task set consists of such iterations.
    """
    for owner in (TaskSet, DefaultTaskSet):
        owner.execute_task = _with_iterations(owner.execute_task)  # type: ignore[method-assign]  # Locust has no hook
    TaskSet._sleep = lambda _self, _seconds: None  # type: ignore[method-assign]  # noqa: SLF001 - think time is not waited in lockstep


def _with_iterations(execute: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    def execute_task(self: TaskSet, task: Any) -> None:  # noqa: ANN401 - functions and classes, as Locust's
        twin: Twin | None = getattr(self.user, TWIN, None)
        if twin is not None:
            twin.tasks.update((self.user if isinstance(self, DefaultTaskSet) else self).tasks)
            twin.walked.add(task)
        if twin is None or (isinstance(task, type) and issubclass(task, TaskSet)):
            execute(self, task)
            return
        twin.begin_iteration()
        try:
            execute(self, task)
        except (StopUser, gevent.GreenletExit):
            raise
        except BaseException as error:
            if not isinstance(error, _FLOW):
                twin.blame(error)  # now, as the next iteration forgets which requests failed
            twin.end_iteration()
            raise
        twin.end_iteration()

    return execute_task
