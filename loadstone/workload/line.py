"""A line to a server: opened, waited on and closed without blocking any other greenlet.

One io watcher a line, whose callback is the waiting greenlet's `switch`; the raw
socket below, or TLS over it.
"""

from __future__ import annotations

import _socket
import errno
import os
import time
from collections.abc import Callable
from typing import Any, Final

import gevent
from greenlet import getcurrent, greenlet

from loadstone.workload.deadlines import DEADLINES
from loadstone.workload.servers import AnswerTimeoutError, Server, StaleError, WireError, explained, resolve
from loadstone.workload.tls import TlsStream

READ: Final = 1
WRITE: Final = 2
RECV_BYTES: Final = 65_536


class Line:
    """A connection, or the intention to have one; one greenlet at a time may wait on it.

    Attributes:
        deadline_ns: when what goes on must be over, on `time.perf_counter_ns`; 0 where nothing goes on.
        idle_ns: for the owner's use: since when the line rests.
    """

    __slots__ = (
        "__weakref__", "_greenlet", "_receive", "_send", "_server", "_socket", "_to_hub", "_wake", "_watcher",
        "deadline_ns", "idle_ns", "limit_s",
    )  # fmt: skip

    def __init__(self, server: Server, limit_s: float) -> None:
        self.deadline_ns = 0
        self.idle_ns = 0
        self.limit_s = limit_s
        self._server = server
        self._socket: _socket.socket | None = None
        self._greenlet: greenlet = getcurrent()
        self._wake = self._greenlet.switch
        self._watcher: Any = None
        self._send: Any = None
        self._receive: Any = None
        # gevent's own `switch` first asks the calling greenlet for a hook, which none of ours has
        self._to_hub: Callable[[], Any] = greenlet.switch.__get__(gevent.get_hub())

    def refresh(self) -> None:
        """Close the connection if the server did, or said what nobody asked for, while it was idle."""
        if self._socket is None:
            return
        try:
            unasked = self._socket.recv(1, _socket.MSG_PEEK)
        except BlockingIOError:
            return
        except OSError:
            unasked = b""
        if not unasked or self._server.tls is None:  # TLS has things to say that are no answers
            self.close()

    def expire(self) -> None:
        """Wake the exchange that is going on, as its time is over; called from the hub."""
        self._wake()

    def close(self) -> None:
        """Hang up."""
        self.deadline_ns = 0
        if self._socket is None:
            return
        DEADLINES.forget(self)
        self._watcher.stop()
        self._watcher.close()
        self._socket.close()
        self._socket = self._send = self._receive = None

    def _open(self) -> None:
        """Connect; raises `WireError`."""
        deadline, self.deadline_ns = self.deadline_ns, 0  # gevent's own waiting must not be cut short by us
        addresses = resolve(self._server.host, self._server.port)
        for family, address in addresses:
            self.deadline_ns = deadline
            try:
                self._connect(family, address)
            except OSError as error:
                problem = error
                self.close()
            else:
                return
        raise WireError(f"no connection to {self._server.host}:{self._server.port}: {explained(problem)}")

    def _connect(self, family: int, address: Any) -> None:  # noqa: ANN401 - two or four items, as the family has it
        self._socket = connection = _socket.socket(family, _socket.SOCK_STREAM)
        connection.setblocking(False)  # noqa: FBT003 - as C has it
        connection.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        self._watcher = gevent.get_hub().loop.io(connection.fileno(), READ)
        DEADLINES.watch(self, self.limit_s)
        code = connection.connect_ex(address)
        if code == errno.EINPROGRESS:
            self._wait(WRITE)
            code = connection.getsockopt(_socket.SOL_SOCKET, _socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
        self._send, self._receive = connection.send, connection.recv
        if self._server.tls is not None:
            stream = TlsStream(connection, self._server.tls, self._server.host, self._wait)
            stream.handshake()
            self._send, self._receive = stream.send, stream.receive

    def _wait(self, events: int) -> None:
        """Return when the socket can be read or written; raises `AnswerTimeoutError` when time is over."""
        if time.perf_counter_ns() >= self.deadline_ns:
            raise AnswerTimeoutError("the answer was not there in time")
        if self._socket is None:
            raise WireError("the connection was closed while it was in use")
        loop = gevent.get_hub().loop
        watcher = self._watcher if events == READ else loop.io(self._socket.fileno(), events)
        watcher.start(self._wake)
        try:
            self._to_hub()
        finally:
            watcher.stop()
            if events != READ:
                watcher.close()

    def _send_rest(self, request: bytes, sent: int) -> None:
        rest = memoryview(request)[sent:]
        while rest:
            try:
                rest = rest[self._send(rest) :]
            except BlockingIOError:
                self._wait(WRITE)
            except OSError as error:
                raise StaleError(explained(error)) from error

    def _more(self) -> bytes:
        """Wait for bytes and return them; nothing at the end of the stream."""
        while True:
            self._wait(READ)
            try:
                data: bytes = self._receive(RECV_BYTES)
            except BlockingIOError:
                continue
            except OSError as error:
                raise WireError(explained(error)) from error
            return data
