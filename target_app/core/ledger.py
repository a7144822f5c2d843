"""What a process counts of its requests: added up in plain numbers, written elsewhere once a second.

An increment of prometheus-client's takes a lock and writes into a memory-mapped file,
and a request would make nine of them or more. Here it takes one lock twice, and adds.
"""

from __future__ import annotations

import os
import threading
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from core.tally import Tally

EVERY_S = 1.0
Kind = tuple[str, str, int]
"""Method, route and class of status of an answer."""


@dataclass(slots=True)
class Account:
    """What the answers of one kind came to."""

    buckets: list[int]
    """Answers by duration, not cumulative; the last is beyond every bound."""
    answered: int = 0
    seconds: float = 0.0
    queries: int = 0
    query_seconds: float = 0.0


@dataclass(slots=True)
class Page:
    """Everything counted since the last page."""

    accounts: dict[Kind, Account] = field(default_factory=dict)
    hits: int = 0
    misses: int = 0


class Ledger:
    """Counts requests, and hands what came together to `write`: once a second, and whenever it is told to.

    Args:
        bounds: upper ones of the buckets of durations, in seconds.
        write: takes a page, the requests in flight and the connections; it is called by one thread at a time.
    """

    def __init__(self, bounds: Sequence[float], write: Callable[[Page, int, int], None]) -> None:
        self._bounds = bounds
        self._write = write
        os.register_at_fork(after_in_child=self._begin)
        self._begin()

    def _begin(self) -> None:
        """Count from nothing: what was counted before a fork is the parent's."""
        self._page = Page()
        self._adding, self._writing = threading.Lock(), threading.Lock()
        self._in_flight = self._connections = 0
        self._writer: threading.Thread | None = None

    def begin(self) -> None:
        """Count a request that is being answered from now on."""
        with self._adding:
            self._in_flight += 1
            if self._writer is None:
                self._writer = threading.Thread(target=self._write_on, name="metrics", daemon=True)
                self._writer.start()

    def end(self, kind: Kind | None, seconds: float, used: Tally) -> None:
        """Count a request that is no longer being answered; None: it has no answer."""
        with self._adding:
            self._in_flight -= 1
            if kind is None:
                return
            page = self._page
            account = page.accounts.get(kind)
            if account is None:
                account = page.accounts[kind] = Account([0] * (len(self._bounds) + 1))
            account.answered += 1
            account.seconds += seconds
            account.buckets[bisect_left(self._bounds, seconds)] += 1
            account.queries += used.queries
            account.query_seconds += used.query_seconds
            page.hits += used.hits
            page.misses += used.misses

    def connected(self, change: int) -> None:
        """Count connections that were made, or with a negative `change` closed."""
        with self._adding:
            self._connections += change

    def write(self) -> None:
        """Hand over everything that was counted until now."""
        with self._writing:
            with self._adding:
                page, self._page = self._page, Page()
                state = self._in_flight, self._connections
            self._write(page, *state)

    def _write_on(self) -> None:
        pause = threading.Event()
        while not pause.wait(EVERY_S):
            self.write()
