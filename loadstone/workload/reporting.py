"""Who learns of a request: the recorder, and whoever listens to Locust's `request` event.

Requests of our own client are recorded directly, and the event is fired only when
somebody else listens. Requests of other clients are recorded from the event.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from greenlet import getcurrent
from locust.env import Environment

from loadstone.secrecy import clean_address
from loadstone.workload.answers import AnswerWords
from loadstone.workload.due import UNTIMED, take_due, variant
from loadstone.workload.outcomes import of_report
from loadstone.workload.recorder import MAX_ENDPOINTS, Recorder

_ATTRIBUTE = "loadstone_reporting"


class Endpoints(dict[str, int]):
    """Numbers of the endpoints of one method and variant by name, asked from the recorder once each."""

    def __init__(self, reporting: Reporting, method: str, variant_index: int) -> None:
        super().__init__()
        self._reporting = reporting
        self._method = method
        self._variant = variant_index

    def __missing__(self, name: str) -> int:
        recorder = self._reporting.recorder
        if recorder is None:
            return 0
        number = recorder.endpoint(step_name(self._method, name), self._variant)
        if len(self) < MAX_ENDPOINTS:  # addresses used as names must not fill the memory
            self[name] = number
        return number


class Reporting:
    """What the clients of one Locust environment report to.

    Attributes:
        record: `Recorder.record`, or something that does nothing.
        listeners: of Locust's `request` event, ours included.
        own_listeners: how many of them are ours.
    """

    def __init__(self, environment: Environment) -> None:
        self.event = environment.events.request
        self.listeners: list[Any] = self.event._handlers  # noqa: SLF001 - Locust offers no count of listeners
        self.own_listeners = 0
        self.recorder: Recorder | None = None
        self.record: Callable[[int, int, int, int, int], None] = _nothing
        self._endpoints: dict[tuple[str, int], Endpoints] = {}
        setattr(environment, _ATTRIBUTE, self)

    def record_into(self, recorder: Recorder | None) -> None:
        """Record into `recorder` from now on, or nowhere."""
        self.recorder = recorder
        self.record = _nothing if recorder is None else recorder.record
        for known in self._endpoints.values():
            known.clear()
        if recorder is not None and not self.own_listeners:
            self.event.add_listener(self._on_request)
        elif recorder is None and self.own_listeners:
            self.event.remove_listener(self._on_request)
        self.own_listeners = int(recorder is not None)

    def endpoints(self, method: str, variant_index: int) -> Endpoints:
        """Return the endpoints of a method and variant; clients may keep the object."""
        key = (method, variant_index)
        return self._endpoints.setdefault(key, Endpoints(self, *key))

    def _on_request(
        self,
        request_type: str,
        name: str,
        response_time: float | None = None,
        response: Any = None,  # noqa: ANN401 - whatever the client gives
        exception: BaseException | None = None,
        start_time: float | None = None,
        **_: object,
    ) -> None:
        """Record a request that another client reports; the keywords are those of Locust's event."""
        if self.recorder is None or isinstance(response, AnswerWords) or getcurrent() in UNTIMED:
            return
        service_ns = max(0, int((response_time or 0) * 1e6))
        now = time.perf_counter_ns()
        # a checked answer is reported later than it came; the wall clock says when it was asked for
        since_send_ns = service_ns if start_time is None else int((time.time() - start_time) * 1e9)
        send_ns = now - max(since_send_ns, service_ns)
        status = int(getattr(response, "status_code", 0) or 0)
        endpoint = self.recorder.endpoint(step_name(request_type, name), variant())
        outcome = of_report(status, exception)
        self.recorder.record(endpoint, outcome, take_due(send_ns), send_ns, send_ns + service_ns)


def reporting_of(environment: Environment) -> Reporting:
    """Return what an environment's clients report to; without a recorder, listeners alone."""
    found: Reporting | None = getattr(environment, _ATTRIBUTE, None)
    return found or Reporting(environment)


def step_name(method: str, name: str) -> str:
    """Return an endpoint's name, without secrets: with the method before it, unless it is there already."""
    name = clean_address(name)
    return name if name.startswith(f"{method} ") else f"{method} {name}"


def _nothing(*_: int) -> None:
    """Take a request's times and forget them."""
