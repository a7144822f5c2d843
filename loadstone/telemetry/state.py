"""How far a run under load is, kept for whoever asks: written by the run, read by scrapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock

from loadstone.record.recording import Recording
from loadstone.record.result import Contrast
from loadstone.stats.verdicts import Verdict
from loadstone.workload.load_protocol import BlockDone, Second
from loadstone.workload.reports import DISPATCH


@dataclass(slots=True)
class Sums:
    """What a variant was sent, of finished blocks or of the one that runs."""

    requests: Recording = field(default_factory=Recording)
    lag: Recording = field(default_factory=Recording)
    """Of `(dispatch)`: how late arrivals were handed out."""
    arrivals: int = 0
    """Handed out."""
    planned: float = 0.0
    seconds: float = 0.0
    generator_cpu_s: float = 0.0
    """Of the busiest worker."""

    def add(self, other: Sums) -> None:
        """Add another stretch of load."""
        self.requests.add(other.requests)
        self.lag.add(other.lag)
        self.arrivals += other.arrivals
        self.planned += other.planned
        self.seconds += other.seconds
        self.generator_cpu_s += other.generator_cpu_s

    def plus(self, other: Sums) -> Sums:
        """Return both together."""
        both = Sums()
        both.add(self)
        both.add(other)
        return both


@dataclass(frozen=True, slots=True)
class Shown:
    """What one scrape sees."""

    run: str
    title: str
    variants: tuple[tuple[str, str], ...]
    sums: tuple[Sums, ...]
    users: tuple[int, ...]
    backlog: tuple[int, ...]
    sendable_rps: float | None
    generation: int
    """Counted from 1; 0: none has begun."""
    contrasts: tuple[Contrast, ...]
    ended: bool
    verdict: Verdict | None


class State:
    """Collects what a run tells, under a lock, as scrapes come from another thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._run = self._title = ""
        self._variants: tuple[tuple[str, str], ...] = ()
        self._done: list[Sums] = []
        self._running: list[Sums] = []
        self._users: list[int] = []
        self._backlog: list[int] = []
        self._sendable: float | None = None
        self._generation = 0
        self._contrasts: tuple[Contrast, ...] = ()
        self._ended = False
        self._verdict: Verdict | None = None

    def began(self, run: str, title: str, variants: Sequence[tuple[str, str]]) -> None:
        """Take a run's name and its variants."""
        with self._lock:
            self._run, self._title, self._variants = run, title, tuple(variants)
            self._done = [Sums() for _ in variants]
            self._running = [Sums() for _ in variants]
            self._users, self._backlog = [0] * len(variants), [0] * len(variants)

    def sendable(self, rps: float | None) -> None:
        """Take what the generator can send."""
        self._sendable = rps

    def generation(self, index: int) -> None:
        """Take which generation is measured, counted from 0."""
        self._generation = index + 1

    def second(
        self,
        variant: int,
        second: Second,
        requests: Recording,
        schedule: Recording,
        planned: Sequence[float],
    ) -> None:
        """Take what a block has brought so far."""
        now = _sums(requests, schedule)
        now.planned = sum(planned[: second.elapsed_s])
        now.seconds, now.generator_cpu_s = second.elapsed_s, second.cpu_s
        with self._lock:
            self._running[variant] = now
            self._users[variant], self._backlog[variant] = second.users, second.backlog

    def block_over(
        self,
        variant: int,
        done: BlockDone,
        requests: Recording,
        schedule: Recording,
        planned: Sequence[float],
    ) -> None:
        """Keep what a block brought."""
        whole = _sums(requests, schedule)
        whole.planned = sum(planned)
        whole.seconds, whole.generator_cpu_s = done.duration_s, done.cpu_s
        with self._lock:
            self._done[variant].add(whole)
            self._running[variant] = Sums()
            self._users[variant] = self._backlog[variant] = 0

    def looked(self, contrasts: Sequence[Contrast]) -> None:
        """Take the effects as they stand."""
        self._contrasts = tuple(contrasts)

    def ended(self, verdict: Verdict | None) -> None:
        """Take the verdict."""
        with self._lock:
            self._ended, self._verdict = True, verdict
            self._users, self._backlog = [0] * len(self._users), [0] * len(self._backlog)

    def shown(self) -> Shown | None:
        """Return what there is to see; None before a run has begun."""
        with self._lock:
            if not self._run:
                return None
            return Shown(
                run=self._run,
                title=self._title,
                variants=self._variants,
                sums=tuple(a.plus(b) for a, b in zip(self._done, self._running, strict=True)),
                users=tuple(self._users),
                backlog=tuple(self._backlog),
                sendable_rps=self._sendable,
                generation=self._generation,
                contrasts=self._contrasts,
                ended=self._ended,
                verdict=self._verdict,
            )


def _sums(requests: Recording, schedule: Recording) -> Sums:
    dispatch = {key: times for key, times in schedule.cells.items() if key.endpoint == DISPATCH}
    return Sums(
        requests=Recording(dict(requests.cells)),  # the run goes on filling its own
        lag=Recording(dispatch),
        arrivals=schedule.count(endpoint=DISPATCH),
    )
