"""One request at a time, so that what each did at the services can be told apart."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from hashlib import blake2s
from typing import Any

from locust import User
from locust.env import Environment

from loadstone.record.observations import Outcome
from loadstone.secrecy import clean_address
from loadstone.workload.exchange import send_timed
from loadstone.workload.lockstep import Journey, Meeting, make_journeys, meetings, stop_journeys
from loadstone.workload.observation import Observation
from loadstone.workload.protocol import Exchange, ProbeDone, RunProbe
from loadstone.workload.twins import Reply, Request

DEADLINE_S = 60.0
"""Well below `remote.SILENCE_TIMEOUT_S`, so that the scenario is named and not the generator."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that may be sent twice: the repeat shows what a warm cache changes."""


def run_probe(
    plan: RunProbe,
    user_classes: list[type[User]],
    environment: Environment,
    exchange: Callable[[Exchange], None],
) -> ProbeDone:
    """Send journeys' requests to each variant in turn; `exchange` returns when the next may go."""
    journeys = make_journeys(plan, user_classes, environment, "probe")
    try:
        return _walk(plan, journeys, exchange)
    finally:
        stop_journeys(journeys)


def _walk(plan: RunProbe, journeys: list[Journey], exchange: Callable[[Exchange], None]) -> ProbeDone:
    seen: Counter[str] = Counter()
    recorded = diverged = idle = 0

    def enough() -> bool:
        return recorded >= plan.max_requests

    for meeting in meetings(journeys, enough, deadline=time.monotonic() + DEADLINE_S):
        step = meeting.requests[0][2].step
        wanted = meeting.timed and meeting.paired and seen[step] < plan.per_endpoint
        diverged += meeting.timed and not meeting.paired
        _probe_meeting(meeting, exchange, recorded, plan.seed, wanted=wanted)
        if wanted:
            seen[step] += 1
            recorded += 1
            idle = 0
            continue
        idle += meeting.timed
        if meeting.timed and _saturated(seen, plan, journeys, idle):
            break
    errors = [error for journey in journeys for error in journey.errors()]
    return ProbeDone(
        recorded=recorded,
        diverged=diverged,
        scenario_errors=len(errors),
        first_error=errors[0] if errors else "",
    )


def _saturated(seen: Counter[str], plan: RunProbe, journeys: list[Journey], idle: int) -> bool:
    """Tell whether nothing new is to be expected: each endpoint seen so far was seen often enough.

    That, and every task was chosen and `idle` requests brought nothing new; or, where a
    scenario chooses its tasks in a way of its own, some journey went on for a good while.
    """
    if not seen or min(seen.values()) < plan.per_endpoint:
        return False
    if idle >= 2 * plan.per_endpoint and all(journey.twins[0].knows_all_tasks() for journey in journeys):
        return True
    return max(journey.iterations for journey in journeys) >= 10 * plan.per_endpoint


def _probe_meeting(
    meeting: Meeting, exchange: Callable[[Exchange], None], number: int, seed: int, *, wanted: bool
) -> None:
    replies = []
    for index, twin, request in meeting.requests:
        reply = Reply()
        for repeat in (False, True) if wanted and request.method in SAFE_METHODS else (False,):
            trace = traceparent(seed, number, repeat=repeat) if wanted else ""
            answer = send_timed(request, Observation(), {"traceparent": trace} if trace else None)
            told = _describe(index, request, answer, number, repeat=repeat, recorded=wanted)
            told.traceparent = trace
            exchange(told)
            reply = reply if repeat else answer
        replies.append((twin, reply))
    for twin, reply in replies:
        twin.resume(reply)


def traceparent(seed: int, number: int, *, repeat: bool) -> str:
    """Return the W3C trace context of a probed request: the same on every variant, as answers must be.

    Its ids are hashes: a run with the same seed asks with the same ones.
    """
    trace = blake2s(f"{seed} probe {number}".encode(), digest_size=16).hexdigest()
    span = blake2s(f"{seed} probe {number} {repeat}".encode(), digest_size=8).hexdigest()
    return f"00-{trace}-{span}-01"


def _describe(
    index: int, request: Request, reply: Reply, number: int, *, repeat: bool, recorded: bool
) -> Exchange:
    response: Any = reply.value
    headers = getattr(response, "headers", None) or {}
    body = bytes(getattr(response, "content", None) or b"")
    length = str(headers.get("content-length") or "")
    return Exchange(
        variant=index,
        step=request.step,
        method=request.method,
        target=clean_address(request.path),
        status=int(getattr(response, "status_code", 0) or 0),
        content_type=str(headers.get("content-type") or ""),
        body=body,
        wire_bytes=int(length) if length.isdigit() else len(body),
        repeat=repeat,
        recorded=recorded,
        number=number,
        service_us=reply.observation.service_us if reply.observation else 0,
        exchanges=_exchanges(response),
        server_timing=str(headers.get("server-timing") or ""),
        broken=_broken(reply.observation),
    )


def _broken(observation: Observation | None) -> str:
    """Say how an answer broke off: what was received of it until then may look like a whole one."""
    found = observation.outcome() if observation is not None else None
    return found.label if found in {Outcome.TIMEOUT, Outcome.TRANSPORT_ERROR} else ""


def _exchanges(response: object) -> int | None:
    """Return how many requests a scenario says that its step was; clients of HTTP say nothing."""
    told = getattr(response, "exchanges", None)
    return told if isinstance(told, int) else None
