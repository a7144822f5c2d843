"""How a worker that calls becomes one of the team: proof, what the others know already, its clock."""

from __future__ import annotations

import hmac
import time
from collections import deque
from dataclasses import dataclass, field

from loadstone import __version__
from loadstone.workload.clocks import ClockExchange, Reading
from loadstone.workload.load_protocol import OpenSides, Ping, Pong, SidesOpen
from loadstone.workload.protocol import Failed, Hello, Load, Loaded, Message, Stop
from loadstone.workload.team import Gone, Letter, Team, Worker

_ANSWER: dict[type[Message], type[Message]] = {Load: Loaded, OpenSides: SidesOpen}


@dataclass
class Candidate:
    """A worker on its way in."""

    worker: Worker
    orders: deque[Message]
    asking: ClockExchange = field(default_factory=ClockExchange)


@dataclass
class Admission:
    """Lets workers in, one message at a time, whenever they come.

    Args:
        team: that they are to join.
        token: that they must know.
        orders: what the team was told so far; a newcomer is told the same.
        open: whether anybody is let in at all.
    """

    team: Team
    token: str
    orders: list[Message] = field(default_factory=list)
    open: bool = True
    _candidates: dict[str, Candidate] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    """Who was turned away, and why."""

    def knock(self, worker: Worker) -> None:
        """Take a worker's first message."""
        reason = self._objection(worker.hello)
        if reason:
            self.refused[worker.name] = reason
            worker.write(Failed(problem=reason, cause="", remedy=""))
            worker.write(Stop())
            return
        self._candidates[worker.name] = Candidate(worker, deque(self.orders))
        self._go_on(self._candidates[worker.name])

    def take(self, letter: Letter) -> str | None:
        """Take a letter of a candidate; return its name once it has become one of the team."""
        candidate, content = self._candidates.get(letter.worker), letter.content
        if candidate is None:
            return None
        if isinstance(content, (Gone, Failed)):
            del self._candidates[letter.worker]
            self.refused[letter.worker] = content.reason if isinstance(content, Gone) else content.problem
            return None
        if isinstance(content, Pong):
            candidate.asking.answer(content.number, content.clock_ns, letter.at_ns)
            if candidate.asking.over:
                return self._welcome(candidate)
        elif candidate.orders and isinstance(content, _ANSWER[type(candidate.orders[0])]):
            candidate.orders.popleft()
        else:
            return None
        self._go_on(candidate)
        return None

    def _go_on(self, candidate: Candidate) -> None:
        if candidate.orders:
            candidate.worker.write(candidate.orders[0])
        else:
            candidate.worker.write(Ping(number=candidate.asking.ask(time.perf_counter_ns())))

    def _welcome(self, candidate: Candidate) -> str:
        worker = candidate.worker
        worker.clock = candidate.asking.best or Reading()
        del self._candidates[worker.name]
        self.team.workers[worker.name] = worker
        return worker.name

    def _objection(self, hello: Hello) -> str:
        if not hmac.compare_digest(hello.token.encode(), self.token.encode()):
            return "the worker does not know the run's token"
        if hello.version != __version__:
            return f"the worker runs Loadstone {hello.version}, and the master {__version__}"
        return "" if self.open else "the run has begun, and takes no other workers"
