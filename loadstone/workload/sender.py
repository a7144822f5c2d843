"""Sends requests of one user, follows redirects, judges answers and reports them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, cast

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

Check = Callable[[Any], object]
"""Looks at an `Answer`; one that returns False or raises an exception fails the request."""

_clock = time.perf_counter_ns
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

    @property
    def rested_ns(self) -> int:
        """When the last request ended, on `time.perf_counter_ns`; 0 before the first one."""
        return self._idle[-1].idle_ns if self._idle else 0

    def close(self) -> None:
        """Hang up."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    def _perform(
        self, verb: Verb, prepared: tuple[bytes, str], name: str, check: Check | None, send_ns: int, how: How
    ) -> Answer | CaughtAnswer:
        """Send a request, follow redirects, and report how it went.

        Long, and with few calls: between two visits to the kernel everything is cold, and
        each call would show.
        """
        request, target = prepared
        idle = self._idle
        connection = idle.pop() if idle else Connection(self._origin.server, self._timeout_s)
        if send_ns - connection.idle_ns > _IDLE_NS:
            connection.refresh()
        try:
            body = connection.exchange(request, send_ns + how.limit_ns, verb.head_only)
            end_ns = connection.idle_ns = _clock()
            answer = how.kind(connection.status, body, connection.head, target, end_ns - send_ns)
            if self._keeps_cookies and _sets_cookies(connection):
                self.cookies.take(connection.head, target)
        except WireError as error:
            answer = self._failed(error, connection, verb, request, target, send_ns, how)
            end_ns = send_ns + answer.elapsed_ns
        outcome, status = _OK, answer.status_code
        if not _SUCCESS <= status < _REDIRECTION:
            if status in _REDIRECTS and how.follow:
                answer = self._follow(answer, connection, verb, send_ns, how)
                end_ns = send_ns + answer.elapsed_ns
            outcome = _judged(answer, verb)
        idle.append(connection)
        if check is not None and outcome == _OK and not _passes(check, answer):
            outcome = _CHECK_FAILED
        intended_ns = take_due(send_ns) if DUE else send_ns
        reporting = self._reporting
        if how.kind is CaughtAnswer:
            times = (intended_ns, send_ns, end_ns)
            cast("CaughtAnswer", answer).settle_with(partial(self._settle, verb, name, times, how))
            return answer
        if not UNTIMED or getcurrent() not in UNTIMED:
            reporting.record(verb.endpoints[name], outcome, intended_ns, send_ns, end_ns)
        if len(self._listeners) != reporting.own_listeners:
            self._fire(verb, name, answer, how)
        return answer

    def _exchange(
        self, connection: Connection, verb: Verb, request: bytes, target: str, send_ns: int, how: How
    ) -> Answer | CaughtAnswer:
        """Exchange one request for its answer, as `_perform` does for the first one."""
        try:
            body = connection.exchange(request, send_ns + how.limit_ns, verb.head_only)
        except WireError as error:
            return self._failed(error, connection, verb, request, target, send_ns, how)
        connection.idle_ns = _clock()
        if self._keeps_cookies:
            self.cookies.take(connection.head, target)
        return how.kind(connection.status, body, connection.head, target, connection.idle_ns - send_ns)

    def _failed(
        self,
        error: WireError,
        connection: Connection,
        verb: Verb,
        request: bytes,
        target: str,
        send_ns: int,
        how: How,
    ) -> Answer | CaughtAnswer:
        """Return an answer that is none; first, where that is safe, ask a stale connection's successor."""
        if isinstance(error, StaleError) and verb.idempotent:
            return self._exchange(connection, verb, request, target, send_ns, how)
        answer = how.kind(0, b"", b"", target, _clock() - send_ns)
        answer.error = error
        return answer

    def _follow(
        self, answer: Answer | CaughtAnswer, connection: Connection, verb: Verb, send_ns: int, how: How
    ) -> Answer | CaughtAnswer:
        """Follow redirects within the host; return the first answer that is none, or leads away."""
        for _ in range(self._max_redirects):
            location = answer.headers.get("location")
            target = self._origin.led_to(answer.url, location) if location else None
            if target is None:
                return answer
            if answer.status_code not in _KEEP_METHOD and not verb.head_only:
                verb, how = self._get, How(how.limit_ns, how.kind)
            request = self._compose(verb.method, target, how)
            answer = self._exchange(connection, verb, request, target, send_ns, how)
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
        answer: CaughtAnswer,
        verdict: Exception | None,
    ) -> None:
        """Report an answer on which the scenario has spoken."""
        answer.error = verdict
        if not UNTIMED or getcurrent() not in UNTIMED:
            self._reporting.record(verb.endpoints[name], of_report(answer.status_code, verdict), *times)
        if len(self._listeners) != self._reporting.own_listeners:
            self._fire(verb, name, answer, how)

    def _fire(self, verb: Verb, name: str, answer: Answer | CaughtAnswer, how: How) -> None:
        context = self._user.context() if self._user is not None else {}
        self._reporting.event.fire(
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


def _judged(answer: Answer | CaughtAnswer, verb: Verb) -> int:
    """Return the outcome of what was no success at first, and say what is wrong."""
    if answer.status_code >= _CLIENT_ERROR:
        answer.error = BadStatusError(f"{verb.method} {answer.url} was answered with {answer.status_code}")
    return of_report(answer.status_code, answer.error)


def _passes(check: Check, answer: Answer | CaughtAnswer) -> bool:
    """Tell whether an answer passes a check; its `error` says why not."""
    try:
        if check(answer) is not False:
            return True
        answer.error = CatchResponseError("the check failed")
    except Exception as problem:  # noqa: BLE001 - a check may raise anything
        answer.error = problem
    return False


def _sets_cookies(connection: Connection) -> bool:
    """Tell whether the head may hold a Set-Cookie, in one of the usual spellings or in capitals."""
    head, end = connection.head, connection.head_end
    return head.find(b"ookie:", 0, end) >= 0 or head.find(b"OOKIE:", 0, end) >= 0
