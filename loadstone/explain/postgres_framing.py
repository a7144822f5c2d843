"""PostgreSQL protocol 3 messages out of a byte stream, however it was cut."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from loadstone.explain.relay import BlindError

HEADER_BYTES = 5
MAX_MESSAGE_BYTES = 1 << 30
_LENGTH = struct.Struct(">i")


class Framer:
    """Splits one direction of a connection into messages, keeping only the bodies asked for.

    Args:
        wanted: type bytes of the messages whose bodies are kept; of others only the size is.
    """

    def __init__(self, wanted: bytes) -> None:
        self._wanted = frozenset(wanted)
        self._header = bytearray()
        self._body: bytearray | None = None
        self._left = 0

    def feed(self, data: bytes) -> Iterator[tuple[str, bytes, int]]:
        """Yield (type, body, size on the wire) of each message that `data` completes.

        Raises:
            BlindError: a length is impossible, so this is not the protocol.
        """
        position = 0
        while position < len(data):
            if len(self._header) < HEADER_BYTES:
                taken = data[position : position + HEADER_BYTES - len(self._header)]
                self._header += taken
                position += len(taken)
                if len(self._header) < HEADER_BYTES:
                    return
                self._open()
            else:
                end = min(len(data), position + self._left)
                if self._body is not None:
                    self._body += data[position:end]
                self._left -= end - position
                position = end
            if self._left == 0:
                yield self._finish()

    def _open(self) -> None:
        (length,) = _LENGTH.unpack_from(self._header, 1)
        if not _LENGTH.size <= length <= MAX_MESSAGE_BYTES:
            raise BlindError(f"not the PostgreSQL protocol: a message of {length} bytes")
        self._left = length - _LENGTH.size
        self._body = bytearray() if self._header[0] in self._wanted else None

    def _finish(self) -> tuple[str, bytes, int]:
        (length,) = _LENGTH.unpack_from(self._header, 1)
        message = (chr(self._header[0]), bytes(self._body or b""), length + 1)
        self._header.clear()
        self._body = None
        return message


def split_strings(body: bytes, count: int) -> list[str]:
    """Return the first `count` zero-terminated strings of a message body."""
    return [part.decode("utf-8", "replace") for part in body.split(b"\0", count)[:count]]


def error_code(body: bytes) -> str:
    """Return the SQLSTATE of an ErrorResponse body."""
    for field in body.split(b"\0"):
        if field[:1] == b"C":
            return field[1:].decode("ascii", "replace")
    return "unknown"
