"""Sending one request of a twin, and timing it."""

from __future__ import annotations

import time
from typing import Any

from loadstone.workload.observation import Observation
from loadstone.workload.twins import HEADERS, OBSERVATION, Reply, Request


def send_timed(request: Request, observation: Observation, headers: dict[str, str] | None = None) -> Reply:
    """Send `request`, fill `observation` and return what the scenario gets.

    `headers` go beside the scenario's own, which come first where both name one.
    """
    context: dict[str, Any] = {OBSERVATION: observation}
    if headers:
        context[HEADERS] = headers
    observation.start_ns = time.perf_counter_ns()
    try:
        value = request.send(context)
    except Exception as error:  # noqa: BLE001 - whatever the client raises belongs to the scenario
        observation.answered(well=False)
        observation.exception = error
        return Reply(error=error, observation=observation)
    observation.status = int(getattr(value, "status_code", 0) or 0)
    observation.answered(well=observation.status > 0)
    return Reply(value=value, observation=observation)


def on_request(**event: Any) -> None:  # noqa: ANN401 - the keywords of Locust's request event
    """Listen to Locust's `request` event: it tells what the scenario thinks of a response.

    To be added before a scenario's listeners, so that their time is not the request's.
    """
    observation = (event.get("context") or {}).get(OBSERVATION)
    if isinstance(observation, Observation):
        observation.answered(well=event.get("exception") is None)
        observation.exception = event.get("exception")
        observation.reported = True
