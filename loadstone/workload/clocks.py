"""What a clock elsewhere says, and how sure that is.

Hosts share no monotonic clock. The master asks for the time and notes when it asked
and when it was told; the worker's answer was read in between. Of several exchanges the
one with the shortest round trip bounds the offset best (Cristian 1989, "Probabilistic
clock synchronization", Distributed Computing 3, eq. 3): offset = told − (asked +
received)/2, wrong by at most (received − asked)/2.
"""

from __future__ import annotations

from dataclasses import dataclass, field

EXCHANGES = 12
"""Questions for one reading; the best of them counts."""


@dataclass(frozen=True, slots=True)
class Reading:
    """By how much a worker's clock is ahead of the master's, in nanoseconds, and how sure that is."""

    offset_ns: int = 0
    bound_ns: int = 0

    def there(self, here_ns: int) -> int:
        """Return what the worker's clock says at `here_ns` of the master's."""
        return here_ns + self.offset_ns

    def moved_ns(self, earlier: Reading) -> int:
        """Return by how much the clocks surely went apart since an earlier reading."""
        apart = abs(self.offset_ns - earlier.offset_ns)
        return max(0, apart - self.bound_ns - earlier.bound_ns)


SAME_CLOCK = Reading()
"""Of a worker on the master's own host: the kernel's clock is one."""


@dataclass
class ClockExchange:
    """Questions to one worker, and what came back; answers may be lost, doubled or late."""

    _asked: dict[int, int] = field(default_factory=dict)
    _next: int = 0
    _answered: int = 0
    best: Reading | None = None

    def ask(self, now_ns: int) -> int:
        """Note that a question is being sent; return its number."""
        self._next += 1
        self._asked[self._next] = now_ns
        return self._next

    def answer(self, number: int, told_ns: int, now_ns: int) -> None:
        """Take an answer; one that nobody asked for, or that came before, says nothing."""
        asked_ns = self._asked.pop(number, None)
        if asked_ns is None or now_ns < asked_ns:
            return
        self._answered += 1
        # half of an odd round trip is rounded up: the bound must hold
        reading = Reading(told_ns - (asked_ns + now_ns) // 2, (now_ns - asked_ns + 1) // 2 + 1)
        if self.best is None or reading.bound_ns < self.best.bound_ns:
            self.best = reading

    @property
    def over(self) -> bool:
        """Whether there were enough answers."""
        return self._answered >= EXCHANGES
