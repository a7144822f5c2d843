"""What a request costs this generator, here and now, with the scenario's own client.

A few users ask a server that does nothing, as fast as they can, recording as in a run.
What the generator's process spends on a request is what it can send at most: one
core's second divided by it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

import gevent
from locust import User
from locust.env import Environment

from loadstone.errors import MeasurementError
from loadstone.workload.blocks import no_garbage_collection
from loadstone.workload.load_protocol import RunSelfTest, SelfTested
from loadstone.workload.recorder import Recorder
from loadstone.workload.reporting import reporting_of

USERS = 16
WARM_S = 0.2


def run_self_test(order: RunSelfTest, classes: Sequence[type[User]], environment: Environment) -> SelfTested:
    """Ask for `order.seconds` as fast as can be, after a short warm-up.

    Users whose client is none of HTTP are not tested: their requests are 0.
    """
    clients = _clients(classes[0], order.base_url, environment)
    if not clients:
        return SelfTested(requests=0, cpu_s=0.0, duration_s=0.0)
    _ask(clients, WARM_S)
    reporting, recorder = reporting_of(environment), Recorder(time.perf_counter_ns())
    reporting.record_into(recorder)
    try:
        with no_garbage_collection():
            before, begin = os.times(), time.perf_counter()
            requests = _ask(clients, order.seconds)
            after, duration_s = os.times(), time.perf_counter() - begin
    finally:
        reporting.record_into(None)
    recorded = recorder.take().total
    if recorded != requests:
        raise MeasurementError(
            "the generator does not record what it sends", cause=f"{requests} sent, {recorded} recorded"
        )
    cpu_s = after.user + after.system - before.user - before.system
    return SelfTested(requests=requests, cpu_s=cpu_s, duration_s=duration_s)


def _clients(kind: type[User], base_url: str, environment: Environment) -> list[object]:
    """Return clients of the scenario's kind, without its `on_start`."""
    clients = []
    for _ in range(USERS):
        user = kind.__new__(kind)
        user.host = base_url
        type(user).__init__(user, environment)
        client = getattr(user, "client", None)
        if not hasattr(client, "get"):
            return []
        clients.append(client)
    return clients


def _ask(clients: Sequence[object], seconds: float) -> int:
    """Return how many requests all clients together had answered."""
    ends = time.perf_counter() + seconds

    def ask(client: object) -> int:
        count, get = 0, client.get  # type: ignore[attr-defined]  # looked for in `_clients`
        while time.perf_counter() < ends:
            get("/")
            count += 1
        return count

    return sum(each.get() for each in [gevent.spawn(ask, client) for client in clients])
