"""Sends requests of one user, follows redirects, judges answers and reports them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from greenlet import getcurrent
from locust import User
from locust.exception import CatchResponseError

from loadstone.record.observations import Outcome
from loadstone.workload.answers import Answer, BadStatusError, CaughtAnswer
from loadstone.workload.composer import Composer, How
from loadstone.workload.due import DUE, UNTIMED, take_due
from loadstone.workload.outcomes import of_report
from loadstone.workload.outgoing import Origin
from loadstone.workload.reporting import Endpoints, Reporting
from loadstone.workload.servers import StaleError, WireError
from loadstone.workload.wire import Connection

Check = Callable[[Answer], object]
"""Looks at an answer; one that returns False or raises an exception fails the request."""

_OK: Final = int(Outcome.OK)
_CHECK_FAILED: Final = int(Outcome.CHECK_FAILED)
_IDLE_NS: Final = 1_000_000_000
"""A connection that rested for longer is looked at before it is used."""
_SUCCESS, _REDIRECTION, _CLIENT_ERROR = 200, 300, 400
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEEP_METHOD = frozenset({307, 308})


class Verb:
    """What is known of a method once and for all."""

    __slots__ = ("endpoints", "head_only", "idempotent", "method")

    def __init__(self, method: str, endpoints: Endpoints) -> None:
        self.method = method
        self.endpoints = endpoints
        self.head_only = method == "HEAD"
        self.idempotent = method in {"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"}  # RFC 9110, 9.2.2


class Sender(Composer):
    """The part of a session that is busy.

    Args:
        origin: the host under test.
        reporting: what learns of each request.
        user: whose context goes into Locust's events.
        timeout_s: how long a request may take, connecting and redirects included.
        headers: sent with every request.
        cookies: whether cookies are kept and sent.
        max_redirects: followed for one request.
        variant: index of the variant under test.
    """

    request_name: str | None = None
    """Name of requests that have none of their own."""

    def __init__(
        self,
        origin: Origin,
        reporting: Reporting,
        *,
        user: User | None = None,
        timeout_s: float = 60.0,
        headers: Mapping[str, str] | None = None,
        cookies: bool = True,
        max_redirects: int = 10,
        variant: int = 0,
    ) -> None:
        super().__init__(origin, headers, cookies=cookies)
        self._reporting = reporting
        self._listeners = reporting.listeners
        self._user = user
        self._timeout_s = timeout_s
        self._max_redirects = max_redirects
        self._variant = variant
        self._plain = How(round(timeout_s * 1e9))
        self._idle: list[Connection] = []
        self._verbs: dict[str, Verb] = {}
        self._get = self._verb("GET")

    def close(self) -> None:
        """Hang up."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    def _perform(
        self,
        verb: Verb,
        request: bytes,
        target: str,
        name: str,
        check: Check | None,
        send_ns: int,
        how: How,
    ) -> Answer:
        """Send a request, follow redirects, and report how it went."""
        idle = self._idle
        connection = idle.pop() if idle else Connection(self._origin.server, self._timeout_s)
        if send_ns - connection.idle_ns > _IDLE_NS:
            connection.refresh()
        answer = self._exchange(connection, verb, request, target, send_ns + how.limit_ns, how.kind)
        if answer.status_code in _REDIRECTS and how.follow:
            answer = self._follow(answer, connection, verb, send_ns + how.limit_ns, how)
        end_ns = connection.idle_ns = time.perf_counter_ns()
        idle.append(connection)
        answer.elapsed_ns = end_ns - send_ns
        times = (take_due(send_ns) if DUE else send_ns, send_ns, end_ns)
        status, outcome = answer.status_code, _OK
        if not _SUCCESS <= status < _REDIRECTION:
            if status >= _CLIENT_ERROR:
                answer.error = BadStatusError(f"{verb.method} {target} was answered with {status}")
            outcome = of_report(status, answer.error)
        elif check is not None and not _passes(check, answer):
            outcome = _CHECK_FAILED
        if isinstance(answer, CaughtAnswer):
            answer.settle_with(partial(self._settle, verb, name, times, how))
        else:
            self._report(verb, name, answer, outcome, times, how)
        return answer

    def _exchange(
        self,
        connection: Connection,
        verb: Verb,
        request: bytes,
        target: str,
        deadline_ns: int,
        kind: type[Answer],
    ) -> Answer:
        try:
            body = connection.exchange(request, deadline_ns, head_only=verb.head_only)
        except WireError as error:
            if isinstance(error, StaleError) and verb.idempotent:  # the connection is new then
                return self._exchange(connection, verb, request, target, deadline_ns, kind)
            answer = kind(0, b"", b"", target)
            answer.error = error
            return answer
        if self._keeps_cookies and connection.head.find(b"ookie:", 0, connection.head_end) >= 0:
            self.cookies.take(connection.head, target)
        return kind(connection.status, body, connection.head, target)

    def _follow(
        self, answer: Answer, connection: Connection, verb: Verb, deadline_ns: int, how: How
    ) -> Answer:
        """Follow redirects within the host; return the first answer that is none, or leads away."""
        for _ in range(self._max_redirects):
            location = answer.headers.get("location")
            target = self._origin.led_to(answer.url, location) if location else None
            if target is None:
                return answer
            if answer.status_code not in _KEEP_METHOD and not verb.head_only:
                verb, how = self._get, How(how.limit_ns, how.kind)
            request = self._compose(verb.method, target, how)
            answer = self._exchange(connection, verb, request, target, deadline_ns, how.kind)
            if answer.status_code not in _REDIRECTS:
                return answer
        answer.error = WireError(f"more than {self._max_redirects} redirects")
        return answer

    def _settle(
        self,
        verb: Verb,
        name: str,
        times: tuple[int, int, int],
        how: How,
        answer: Answer,
        verdict: Exception | None,
    ) -> None:
        """Report an answer on which the scenario has spoken."""
        answer.error = verdict
        self._report(verb, name, answer, of_report(answer.status_code, verdict), times, how)

    def _report(
        self, verb: Verb, name: str, answer: Answer, outcome: int, times: tuple[int, int, int], how: How
    ) -> None:
        reporting = self._reporting
        if not UNTIMED or getcurrent() not in UNTIMED:
            reporting.record(verb.endpoints[name], outcome, *times)
        if len(self._listeners) != reporting.own_listeners:
            context = self._user.context() if self._user is not None else {}
            reporting.event.fire(
                request_type=verb.method,
                name=name,
                response_time=answer.elapsed_ns / 1e6,
                response_length=answer.wire_bytes,
                response=answer,
                context={**context, **(how.context or {})},
                exception=answer.error,
                start_time=time.time() - answer.elapsed_ns / 1e9,
                url=self._origin.url + answer.url,
            )

    def _verb(self, method: str) -> Verb:
        verb = self._verbs[method] = Verb(method, self._reporting.endpoints(method, self._variant))
        return verb


def _passes(check: Check, answer: Answer) -> bool:
    """Tell whether an answer passes a check; its `error` says why not."""
    try:
        if check(answer) is not False:
            return True
        answer.error = CatchResponseError("the check failed")
    except Exception as problem:  # noqa: BLE001 - a check may raise anything
        answer.error = problem
    return False
