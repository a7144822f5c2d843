"""TLS over a non-blocking socket, for `wire`: the same two calls, with encryption between."""

from __future__ import annotations

import _socket
from collections.abc import Callable
from ssl import MemoryBIO, SSLContext, SSLObject, SSLWantReadError, SSLZeroReturnError

_RECV_BYTES = 65_536


class TlsStream:
    """Encrypts what is sent and decrypts what is received.

    Args:
        socket: connected and non-blocking.
        context: what to trust.
        host: the name that the server must prove to have.
        wait: returns when the socket can be read (1) or written (2); may raise.
    """

    def __init__(
        self, socket: _socket.socket, context: SSLContext, host: str, wait: Callable[[int], None]
    ) -> None:
        self._socket = socket
        self._wait = wait
        self._incoming, self._outgoing = MemoryBIO(), MemoryBIO()
        self._object: SSLObject = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)

    def handshake(self) -> None:
        """Agree on keys; raises `OSError` (with `ssl.SSLError`) when that fails."""
        while True:
            try:
                self._object.do_handshake()
            except SSLWantReadError:
                self._flush()
                self._wait(1)
                self._take_in()
            else:
                self._flush()
                return

    def send(self, data: bytes) -> int:
        """Send all of `data`, waiting where the socket is full, and return its length."""
        if data:
            self._object.write(data)
        self._flush()
        return len(data)

    def receive(self, count: int) -> bytes:
        """Return what has come, at least one byte, or nothing at the end.

        Raises:
            BlockingIOError: nothing has come that can be decrypted.
        """
        self._take_in()
        pieces = []
        try:
            while piece := self._object.read(count):
                pieces.append(piece)
        except SSLZeroReturnError:
            pass
        except SSLWantReadError:
            self._flush()  # a key update wants an answer
            if not pieces:
                raise BlockingIOError from None
        return b"".join(pieces)

    def _take_in(self) -> None:
        try:
            data = self._socket.recv(_RECV_BYTES)
        except BlockingIOError:
            return
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    def _flush(self) -> None:
        rest = memoryview(self._outgoing.read())
        while rest:
            try:
                rest = rest[self._socket.send(rest) :]
            except BlockingIOError:
                self._wait(2)
