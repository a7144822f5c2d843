"""PostgreSQL protocol 3 messages out of a byte stream, however it was cut."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from loadstone.explain.relay import BlindError
from loadstone.explain.sql_tokens import split_statements

HEADER_BYTES = 5
MAX_MESSAGE_BYTES = 1 << 30
_LENGTH = struct.Struct(">i")
_COUNTING_TAGS = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "COPY", "SELECT"})
"""SELECT stands for CREATE TABLE AS, too, which sends no rows."""


@dataclass(slots=True)
class Asked:
    """One message of the client that waits for its answer."""

    code: str
    """Its type byte; `start` for the start-up packet."""
    sql: str = ""
    name: str = ""
    """Of the prepared statement (Parse, Bind) or the portal (Execute, Close)."""
    portal: str = ""
    pieces: list[str] = field(default_factory=list)
    """Statements of a simple query."""
    done: int = 0
    """How many of them are complete."""
    ended: bool = False
    """Nothing further runs for it: all are complete, or one has failed."""


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
    for part in body.split(b"\0"):
        if part[:1] == b"C":
            return part[1:].decode("ascii", "replace")
    return "unknown"


def asked_by(code: str, body: bytes) -> Asked:
    """Read one message of a client; raises `BlindError` for one that the tap cannot follow."""
    if code == "Q":
        (sql,) = split_strings(body, 1)
        return Asked("Q", sql=sql, pieces=split_statements(sql))
    if code == "P":
        name, sql = split_strings(body, 2)
        return Asked("P", name=name, sql=sql)
    if code == "B":
        portal, name = split_strings(body, 2)
        return Asked("B", portal=portal, name=name)
    if code == "E":
        return Asked("E", name=split_strings(body, 1)[0])
    if code == "C":
        return Asked("C", portal=chr(body[0]), name=split_strings(body[1:], 1)[0])
    if code in "DSFc":
        return Asked(code)
    raise BlindError(f"a client sent a message of type {code!r}, which the tap cannot follow")


def tagged_rows(tag: bytes) -> int:
    """Return the count in a CommandComplete tag such as `INSERT 0 5`, 0 without one."""
    words = tag.rstrip(b"\0").decode("ascii", "replace").split()
    counts = len(words) > 1 and words[0] in _COUNTING_TAGS and words[-1].isdigit()
    return int(words[-1]) if counts else 0
