"""The conductor's end of offered load: one worker, or several together. Never imports Locust."""

from __future__ import annotations

import hmac
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from loadstone.errors import MeasurementError
from loadstone.record.recording import Recording
from loadstone.workload.load_block import Block, OnSecond
from loadstone.workload.load_protocol import (
    LOAD_DECODER,
    BlockDone,
    CloseSides,
    OpenSides,
    RunBlock,
    RunCrowd,
    RunSelfTest,
    SelfTested,
    SidesClosed,
    SidesOpen,
)
from loadstone.workload.protocol import Channel, Failed, Hello, Load, Loaded, Message
from loadstone.workload.remote import SILENCE_TIMEOUT_S, Child, Spawn, accept_child, end_child
from loadstone.workload.team import Gone, Letter, Team, Worker

M = TypeVar("M", bound=Message)
ARGV = ("-m", "loadstone.workload.load_generator")
CONNECT_TIMEOUT_S = 30.0


class LoadGenerator:
    """All workers of a run together; one alone is the usual case."""

    def __init__(self, team: Team) -> None:
        self.team = team

    @property
    def workers(self) -> int:
        """How many workers are there."""
        return len(self.team.workers)

    @property
    def clock_bound_s(self) -> float:
        """By how much a worker's clock may be other than thought; 0 on one host."""
        return self.team.clock_bound_ns / 1e9

    def load(self, scenario: Path) -> list[str]:
        """Import a scenario everywhere and return its user classes; raises `MeasurementError`."""
        answers = self._ask_all(lambda *_: Load(scenario=str(scenario)), Loaded)
        return next(iter(answers.values())).user_classes

    def self_test(self, order: RunSelfTest) -> list[tuple[Hello, SelfTested]]:
        """Return, of each worker, where it runs and what a request costs it while all ask at once."""
        answers = self._ask_all(lambda *_: order, SelfTested)
        return [(self.team.workers[name].hello, answer) for name, answer in answers.items()]

    def open_sides(self, order: OpenSides) -> None:
        """Make the users of a generation, and start the first ones."""
        self._ask_all(lambda place, count: opened_part(order, place, count), SidesOpen)

    def close_sides(self) -> None:
        """End the users."""
        self._ask_all(lambda *_: CloseSides(), SidesClosed)

    def run(self, order: RunBlock | RunCrowd, on_second: OnSecond) -> tuple[BlockDone, Recording, Recording]:
        """Run a block or a crowd; return how it went, and the recordings of requests and schedule.

        Raises:
            MeasurementError: every worker died, or one could not do it.
        """
        done, requests, schedule = Block(self.team, order, on_second).run()
        if isinstance(order, RunBlock) and not done.due:
            raise MeasurementError("no work fell due", remedy="give a higher rate or a longer run")
        return done, requests, schedule

    def close(self) -> None:
        """Ask the processes to end and wait for them."""
        for worker in self.team.workers.values():
            if worker.channel is not None and worker.child is not None:
                end_child(worker.channel, worker.child)

    def _ask_all(self, make: Callable[[int, int], Message], kind: type[M]) -> dict[str, M]:
        """Ask every worker; `make` returns the question to the one at a place of so many."""
        names = self.team.names()
        for place, name in enumerate(names):
            self.team.write(name, make(place, len(names)))
        answers: dict[str, M] = {}
        while len(answers) < len(names):
            letter = self.team.next(SILENCE_TIMEOUT_S)
            if letter is None:
                silent = ", ".join(name for name in names if name not in answers)
                raise MeasurementError("the load generator fell silent", cause=silent)
            answers |= self._answer(letter, names, kind)
        return {name: answers[name] for name in names}

    def _answer(self, letter: Letter, names: list[str], kind: type[M]) -> dict[str, M]:
        if letter.worker not in names:
            return {}
        content = letter.content
        if isinstance(content, Gone):
            self.team.lose(letter.worker, content.reason)
            raise MeasurementError("the load generator hung up", cause=f"{letter.worker}: {content.reason}")
        if isinstance(content, Failed):
            raise MeasurementError(content.problem, cause=content.cause, remedy=content.remedy)
        if not isinstance(content, kind):
            raise MeasurementError(f"the load generator answered {type(content).__name__} out of turn")
        return {letter.worker: content}


def opened_part(order: OpenSides, place: int, workers: int) -> OpenSides:
    """Return what a worker opens of the users of a generation: its part, with random streams of their own."""
    return replace(
        order,
        key=[*order.key, "worker", place] if place else order.key,
        users=max(1, -(-order.users // workers)),
        most_users=max(1, -(-order.most_users // workers)),
        most_backlog=-(-order.most_backlog // workers),
    )


@contextmanager
def start_load_generator(
    spawn: Spawn, token: str, python: str = sys.executable, workers: int = 1
) -> Iterator[LoadGenerator]:
    """Start local workers that offer load together; the context's end ends them.

    Raises:
        MeasurementError: one did not connect, or somebody else did.
    """
    generator = LoadGenerator(Team())
    try:
        add_local_workers(generator.team, spawn, token, python, workers)
        yield generator
    finally:
        generator.close()


def add_local_workers(team: Team, spawn: Spawn, token: str, python: str, workers: int) -> None:
    """Start workers on this host and take their calls; all come up at once."""
    with socket.create_server(("127.0.0.1", 0), backlog=max(workers, 8)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        children = [spawn([python, *ARGV, f"{place}/{workers}", address]) for place in range(workers)]
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
