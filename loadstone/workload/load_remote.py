"""The conductor's end of offered load: one worker, or several together. Never imports Locust."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

from msgspec.structs import replace

from loadstone.errors import MeasurementError
from loadstone.record.recording import Recording
from loadstone.workload.admission import Admission
from loadstone.workload.clocks import ClockExchange
from loadstone.workload.load_block import Block, OnSecond
from loadstone.workload.load_protocol import (
    BlockDone,
    CloseSides,
    Numbered,
    OpenSides,
    Ping,
    Pong,
    RunBlock,
    RunCrowd,
    RunSelfTest,
    SelfTested,
    SidesClosed,
    SidesOpen,
)
from loadstone.workload.master_remote import MasterProcess
from loadstone.workload.protocol import Failed, Hello, Load, Loaded, Message
from loadstone.workload.remote import SILENCE_TIMEOUT_S, end_child
from loadstone.workload.team import Gone, Letter, Team, Worker

M = TypeVar("M", bound=Message)
PONG_TIMEOUT_S = 0.5
CLOCK_TIMEOUT_S = 5.0


class LoadGenerator:
    """All workers of a run together; one alone is the usual case.

    Args:
        team: those on this host have joined already.
        master: of workers that come through Locust; None where there are none.
        admission: lets those in.
        target_host: under which workers elsewhere find the target.
    """

    def __init__(
        self,
        team: Team,
        master: MasterProcess | None = None,
        admission: Admission | None = None,
        target_host: str = "",
    ) -> None:
        self.team = team
        self.master = master
        self._admission = admission
        self._target_host = target_host
        self._running: Block | None = None
        self._ordinals = 0
        self._blocks = 0

    @property
    def workers(self) -> int:
        """How many workers are there."""
        return len(self.team.workers)

    @property
    def clock_bound_s(self) -> float:
        """By how much a worker's clock may be other than thought; 0 on one host."""
        return self.team.clock_bound_ns / 1e9

    @property
    def end_wished(self) -> bool:
        """Whether somebody pressed stop in the web UI."""
        return self.master is not None and self.master.end_wished

    def show(self, page: bytes) -> None:
        """Give the web UI's before/after page other figures, as JSON."""
        if self.master is not None:
            self.master.show(page)

    def await_workers(self, count: int, timeout_s: float) -> None:
        """Wait until so many workers are there.

        Raises:
            MeasurementError: fewer came.
        """
        by = time.monotonic() + timeout_s
        while self.workers < count:
            letter = self.team.next(min(1.0, max(0.0, by - time.monotonic())))
            if letter is not None:
                self._aside(letter)
            elif time.monotonic() >= by:
                refused = self._admission.refused if self._admission is not None else {}
                raise MeasurementError(
                    f"{self.workers} of {count} workers came within {timeout_s:.0f} s",
                    cause="; ".join(f"{name}: {reason}" for name, reason in refused.items()),
                    remedy="start them with `loadstone worker --master HOST:PORT`",
                )

    def admit_no_others(self) -> None:
        """Turn away whoever comes from now on, as a comparison must: its blocks would not be alike."""
        if self._admission is not None:
            self._admission.open = False

    def load(self, scenario: Path) -> list[str]:
        """Import a scenario everywhere and return its user classes; raises `MeasurementError`."""
        text = scenario.read_text()
        abroad = Load(
            scenario=scenario.name, text=text, locust_stats=bool(self.master and self.master.web_url)
        )
        count = self.workers
        if self._admission is not None:
            self._admission.orders = [replace(abroad, share=f"{count}/{count + 1}")]

        def make(worker: Worker, place: int) -> Message:
            order = abroad if worker.remote else Load(scenario=str(scenario))
            return replace(order, share=f"{place}/{count}")

        return next(iter(self._ask_all(make, Loaded).values())).user_classes

    def self_test(self, order: RunSelfTest) -> list[tuple[Hello, SelfTested]]:
        """Return, of each worker, where it runs and what a request costs it while all ask at once."""
        answers = self._ask_all(lambda *_: order, SelfTested)
        return [(self.team.workers[name].hello, answer) for name, answer in answers.items()]

    def open_sides(self, order: OpenSides) -> None:
        """Make the users of a generation, and start the first ones."""
        count = self.workers
        self._ordinals = count
        if self._admission is not None:
            late = self._abroad(opened_part(order, count, count + 1))
            self._admission.orders = [*self._admission.orders[:1], late]

        def make(worker: Worker, place: int) -> Message:
            part = opened_part(order, place, count)
            return self._abroad(part) if worker.remote else part

        self._ask_all(make, SidesOpen)

    def close_sides(self) -> None:
        """End the users."""
        if self._admission is not None:
            self._admission.orders = self._admission.orders[:1]
        self._ask_all(lambda *_: CloseSides(), SidesClosed)

    def run(self, order: RunBlock | RunCrowd, on_second: OnSecond) -> tuple[BlockDone, Recording, Recording]:
        """Run a block or a crowd; return how it went, and the recordings of requests and schedule.

        Raises:
            MeasurementError: every worker died, or one could not do it.
        """
        self._read_clocks()
        self._blocks += 1
        order = replace(order, number=self._blocks)
        if isinstance(order, RunCrowd) and self._target_host and self.master is not None:
            order = replace(order, base_url=_moved(order.base_url, self._target_host))
        self._running = Block(self.team, order, on_second, self._aside, self._read_clocks)
        try:
            done, requests, schedule = self._running.run()
        finally:
            self._running = None
        if isinstance(order, RunBlock) and not done.due:
            raise MeasurementError("no work fell due", remedy="give a higher rate or a longer run")
        return done, requests, schedule

    def close(self) -> None:
        """Ask the processes to end and wait for them."""
        for worker in self.team.workers.values():
            if worker.channel is not None and worker.child is not None:
                end_child(worker.channel, worker.child)

    def _abroad(self, order: OpenSides) -> OpenSides:
        """Return an order as workers elsewhere need it: with the target's name there."""
        if not self._target_host:
            return order
        sides = [replace(side, base_url=_moved(side.base_url, self._target_host)) for side in order.sides]
        return replace(order, sides=sides)

    def _aside(self, letter: Letter) -> None:
        """Take a letter that is no answer to what is going on: somebody comes, or goes."""
        if letter.worker in self.team.workers:
            if isinstance(letter.content, Gone):
                self.team.lose(letter.worker, letter.content.reason)
            return
        if self._admission is None or self.master is None:
            return
        if isinstance(letter.content, Hello):
            writer = self.master.writer(letter.worker)
            self._admission.knock(Worker(letter.worker, letter.content, writer, remote=True))
        else:
            name = self._admission.take(letter)
            if name is not None and self._running is not None:
                self._running.join(name)

    def _read_clocks(self) -> None:
        """Ask every worker of another host for its time, anew."""
        for worker in [one for one in self.team.workers.values() if one.remote]:
            asking, by = ClockExchange(), time.monotonic() + CLOCK_TIMEOUT_S
            while not asking.over and time.monotonic() < by and worker.name in self.team.workers:
                self.team.write(worker.name, Ping(number=asking.ask(time.perf_counter_ns())))
                letter = self.team.next(PONG_TIMEOUT_S)
                if letter is None:
                    continue
                if letter.worker == worker.name and isinstance(letter.content, Pong):
                    asking.answer(letter.content.number, letter.content.clock_ns, letter.at_ns)
                else:
                    self._aside(letter)
            if asking.best is not None:
                worker.clock = asking.best

    def _ask_all(self, make: Callable[[Worker, int], Message], kind: type[M]) -> dict[str, M]:
        """Ask every worker; `make` returns the question to a worker at its place."""
        names = self.team.names()
        for place, name in enumerate(names):
            self.team.write(name, make(self.team.workers[name], place))
        answers: dict[str, M] = {}
        while len(answers) < len(names):
            letter = self.team.next(SILENCE_TIMEOUT_S)
            if letter is None:
                silent = ", ".join(name for name in names if name not in answers)
                raise MeasurementError("the load generator fell silent", cause=silent)
            answers |= self._answer(letter, names, kind)
        return {name: answers[name] for name in names}

    def _answer(self, letter: Letter, names: list[str], kind: type[M]) -> dict[str, M]:
        content = letter.content
        if letter.worker not in names or isinstance(content, (Pong, Numbered)):  # late, or sent again
            self._aside(letter)
            return {}
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


def _moved(url: str, host: str) -> str:
    """Return a URL with another host, at the same port."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{host}:{parts.port}"))
