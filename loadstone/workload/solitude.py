"""Being alone on the wire, or among others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gevent.event import Event
from gevent.lock import BoundedSemaphore


class Solitude:
    """Lets any number of greenlets in together, or one alone, in the order in which they came."""

    def __init__(self) -> None:
        self._gate = BoundedSemaphore(1)
        self._empty = Event()
        self._empty.set()
        self._inside = 0

    @contextmanager
    def among_others(self) -> Iterator[None]:
        """Go in beside those who do not insist on being alone."""
        with self._gate:
            self._inside += 1
            self._empty.clear()
        try:
            yield
        finally:
            self._inside -= 1
            if not self._inside:
                self._empty.set()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until nobody is in, and let nobody in meanwhile."""
        with self._gate:
            self._empty.wait()
            yield
