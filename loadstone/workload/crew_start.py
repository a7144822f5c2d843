"""Starting who sends the load: workers of this host, a Locust master, and the wait for others."""

from __future__ import annotations

import hmac
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

from loadstone.config.crew import Crew
from loadstone.errors import MeasurementError
from loadstone.workload.admission import Admission
from loadstone.workload.load_protocol import LOAD_DECODER
from loadstone.workload.load_remote import LoadGenerator
from loadstone.workload.master_remote import start_master
from loadstone.workload.protocol import Channel, Hello
from loadstone.workload.remote import Child, Spawn, accept_child
from loadstone.workload.team import Team, Worker

DIRECT = ("-m", "loadstone.workload.load_generator")
THROUGH_LOCUST = ("-m", "loadstone.workload.load_worker")
CONNECT_TIMEOUT_S = 30.0
OWN_TIMEOUT_S = 60.0
"""For workers of this host to come through a master."""


@contextmanager
def start_load_generator(
    spawn: Spawn, token: str, python: str = sys.executable, workers: int = 1
) -> Iterator[LoadGenerator]:
    """Start local workers that offer load together; the context's end ends them.

    Raises:
        MeasurementError: one did not connect, or somebody else did.
    """
    with start_crew(spawn, token, Crew(local=workers), python=python) as generator:
        yield generator


@contextmanager
def start_crew(
    spawn: Spawn,
    token: str,
    crew: Crew,
    *,
    title: str = "",
    python: str = sys.executable,
    tell: Callable[[str], None] = lambda _text: None,
) -> Iterator[LoadGenerator]:
    """Start everybody who is of this host and wait for the others; the context's end ends them.

    Args:
        spawn: starts a child that belongs to the run.
        token: of the run.
        crew: who takes part.
        title: of the run, for the web UI.
        python: that workers run on.
        tell: takes what somebody who waits should know.

    Raises:
        MeasurementError: one did not connect, or somebody else did.
    """
    team = Team(joinable=crew.distributed)
    with ExitStack() as stack:
        if not crew.distributed:
            generator = LoadGenerator(team)
            stack.callback(generator.close)
            add_local_workers(team, spawn, token, python, crew.local)
            yield generator
            return
        master = stack.enter_context(start_master(spawn, token, team, crew, title, python))
        admission = Admission(team, secret_of(crew, token))
        generator = LoadGenerator(team, master, admission, crew.target_host)
        if master.web_url:
            tell(f"Locust's web UI: {master.web_url}  before/after: {master.web_url}before-after")
        _bring_own(stack, generator, spawn, token, python, crew)
        if crew.expected:
            tell(f"waiting for {crew.expected} workers at {crew.bind}:{master.port}")
            generator.await_workers(crew.total, crew.wait_s)
        yield generator


def secret_of(crew: Crew, token: str) -> str:
    """Return what workers that come through the master must know; nothing where others do without."""
    return crew.token or ("" if crew.expected else token)


def _bring_own(
    stack: ExitStack, generator: LoadGenerator, spawn: Spawn, token: str, python: str, crew: Crew
) -> None:
    """Start workers of this host: through Locust where its web UI is to see them, else directly."""
    if not crew.web:
        stack.callback(generator.close)
        add_local_workers(generator.team, spawn, token, python, crew.local)
        return
    master = generator.master
    if master is None:
        raise AssertionError("the web UI is the master's")
    host = crew.bind if crew.bind != "0.0.0.0" else "127.0.0.1"  # noqa: S104 - it is compared, not bound
    for _ in range(crew.local):
        spawn([python, *THROUGH_LOCUST, f"{host}:{master.port}"])
    generator.await_workers(crew.local, OWN_TIMEOUT_S)


def add_local_workers(team: Team, spawn: Spawn, token: str, python: str, workers: int) -> None:
    """Start workers on this host and take their calls; all come up at once."""
    with socket.create_server(("127.0.0.1", 0), backlog=max(workers, 8)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        children = [spawn([python, *DIRECT, f"{place}/{workers}", address]) for place in range(workers)]
        try:
            found = _take_calls(server, children, token)
        except BaseException:
            for child in children:
                _kill(child)
            raise
    for place, (channel, hello) in enumerate(found):
        worker = Worker(f"worker {place + 1}", hello, channel.send, child=children[place])
        team.add_local(worker, channel)


def _take_calls(server: socket.socket, children: Sequence[Child], token: str) -> list[tuple[Channel, Hello]]:
    """Return the channel and the first message of each child, in their order."""
    calls: dict[int, tuple[Channel, Hello]] = {}
    while len(calls) < len(children):
        waited = [child for child in children if child.pid not in calls]
        channel = Channel(accept_child(server, waited), LOAD_DECODER)
        channel.settimeout(CONNECT_TIMEOUT_S)
        hello = channel.receive()
        ours = isinstance(hello, Hello) and hmac.compare_digest(hello.token, token)
        if not isinstance(hello, Hello) or not ours or hello.pid not in {child.pid for child in waited}:
            raise MeasurementError("something else answered in the generator's place")
        calls[hello.pid] = channel, hello
    return [calls[child.pid] for child in children]


def _kill(child: Child) -> None:
    with suppress(ProcessLookupError):
        os.kill(child.pid, signal.SIGKILL)
    child.wait(CONNECT_TIMEOUT_S)
