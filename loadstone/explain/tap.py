"""A wire tap: a TCP proxy that counts what passes before it passes it on.

A tap belongs to the probe lane and never to a timed one. It hosts an asyncio
loop in one thread of its own; protocols plug in as observers that see every
byte of a connection before the other side does. A reply is therefore counted
before the server under test can act on it: once that server has answered a
request, `drain` has everything that the request waited for.
"""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Generic, Self, TypeVar

from loadstone.explain.relay import Observer, Relay

Seen = TypeVar("Seen")
POLL_S = 0.001


class Tap(Generic[Seen]):
    """Listens on a free loopback port and forwards each connection to an upstream.

    Args:
        upstream_host: name or address; a path that starts with `/` is a folder of Unix sockets.
        upstream_port: the upstream's port.

    Use it as a context manager: `port` is known once it is entered.
    """

    def __init__(self, upstream_host: str, upstream_port: int) -> None:
        self._relay = Relay(upstream_host, upstream_port, self._open)
        self._lock = threading.Lock()
        self._seen: list[Seen] = []
        self._reasons: dict[str, None] = {}
        self._observers: list[Observer] = []

    @property
    def port(self) -> int:
        """The loopback port to give to the server under test."""
        return self._relay.port

    @property
    def incomplete(self) -> str:
        """Why the counts must not be believed any more, or an empty string. It never heals."""
        with self._lock:
            return "; ".join(self._reasons)

    def drain(self) -> list[Seen]:
        """Return, in order of completion, what was seen since the last call, and forget it."""
        with self._lock:
            seen, self._seen = self._seen, []
        return seen

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait until no client awaits an answer; False when the time is over before that.

        Needed only where the server under test leaves work unfinished when it responds.
        """
        deadline = time.monotonic() + timeout_s
        while any(observer.pending for observer in self._connections()):
            if time.monotonic() >= deadline:
                return False
            time.sleep(POLL_S)
        return True

    def start(self) -> Self:
        """Listen; raises `OSError` when no port can be had."""
        self._relay.start()
        return self

    def close(self) -> None:
        """Cut all connections and stop listening; what was seen can still be drained."""
        self._relay.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _observe(self, number: int) -> Observer:
        """Return an observer for the connection with this number."""
        raise NotImplementedError

    def _add(self, seen: Seen) -> None:
        with self._lock:
            self._seen.append(seen)

    def _give_up(self, reason: str) -> None:
        with self._lock:
            self._reasons[reason] = None

    def _open(self, number: int) -> Observer:
        observer = _Guard(self._observe(number), self)
        with self._lock:
            self._observers.append(observer)
        return observer

    def _connections(self) -> list[Observer]:
        with self._lock:
            return list(self._observers)

    def _forget(self, observer: Observer) -> None:
        with self._lock:
            if observer in self._observers:
                self._observers.remove(observer)


class _Guard:
    """Keeps the bytes flowing, whatever becomes of the counting."""

    def __init__(self, observer: Observer, tap: Tap[Seen]) -> None:
        self._observer = observer
        self._tap = tap
        self._blind = False

    @property
    def pending(self) -> bool:
        return not self._blind and self._observer.pending

    def from_client(self, data: bytes) -> tuple[bytes, bytes]:
        if not self._blind:
            try:
                return self._observer.from_client(data)
            except Exception as error:  # noqa: BLE001 - a fault in counting is reported, the service goes on
                self._go_blind(error)
                return self._observer.unsent() or data, b""
        return data, b""

    def from_server(self, data: bytes) -> None:
        if not self._blind:
            try:
                self._observer.from_server(data)
            except Exception as error:  # noqa: BLE001 - as above
                self._go_blind(error)

    def unsent(self) -> bytes:
        return b"" if self._blind else self._observer.unsent()

    def closed(self) -> None:
        if not self._blind:
            self._observer.closed()
        self._tap._forget(self)  # noqa: SLF001 - the guard is part of its tap

    def _go_blind(self, error: Exception) -> None:
        self._blind = True
        self._tap._give_up(str(error) or type(error).__name__)  # noqa: SLF001 - as above
