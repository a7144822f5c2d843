"""Redis protocol (RESP2 and RESP3) values out of a byte stream, however it was cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from loadstone.explain.relay import BlindError

KEPT_BYTES = 1024
MAX_LINE_BYTES = 1 << 20
MAX_BULK_BYTES = 1 << 30
_SCALARS = frozenset(b"+-:_#,(")
_BULKS = frozenset(b"$!=")
_ARRAYS = frozenset(b"*~>")
_MAPS = frozenset(b"%|")
_ATTRIBUTE = ord("|")
_INLINE = 0


@dataclass(slots=True, eq=False)
class Value:
    """One value: its size on the wire and what is needed to count it, not its content."""

    type: str
    """Its first byte; empty for an inline command."""
    size: int
    null: bool = False
    text: bytes = b""
    """The beginning of a scalar or string; of others nothing."""
    parts: list[Value] = field(default_factory=list)
    """Elements of an array, set, push or map (keys and values in turn)."""
    awaited: int = 0

    @property
    def error(self) -> str:
        """The first word of an error, empty for anything else."""
        if self.type not in {"-", "!"}:
            return ""
        return self.text.split(b" ", 1)[0].decode("ascii", "replace") or "ERR"


class RespReader:
    """Splits one direction of a connection into values.

    Args:
        inline: whether a line that starts with no type byte is a command (clients only).
    """

    def __init__(self, *, inline: bool = False) -> None:
        self._inline = inline
        self._line = bytearray()
        self._bulk: Value | None = None
        self._left = 0
        self._open: list[Value] = []
        self._extra = 0
        """Bytes of an attribute that goes with the next value."""

    def feed(self, data: bytes) -> Iterator[Value]:
        """Yield each outermost value that `data` completes.

        Raises:
            BlindError: this is not the Redis protocol.
        """
        position = 0
        while position < len(data):
            if self._bulk is not None:
                end = min(len(data), position + self._left)
                value = self._take_bulk(self._bulk, data[position:end])
            else:
                end = data.find(b"\n", position) + 1 or len(data)
                self._line += data[position:end]
                value = self._take_line()
            position = end
            if value is not None and (whole := self._close(value)) is not None:
                yield whole

    def _take_bulk(self, bulk: Value, data: bytes) -> Value | None:
        content = max(0, self._left - 2)
        if len(bulk.text) < KEPT_BYTES:
            bulk.text += data[: min(content, KEPT_BYTES - len(bulk.text))]
        self._left -= len(data)
        if self._left:
            return None
        self._bulk = None
        return bulk

    def _take_line(self) -> Value | None:
        """Return the value on a whole line; None when more must come first."""
        if not self._line.endswith(b"\n"):
            if len(self._line) > MAX_LINE_BYTES:
                raise BlindError("not the Redis protocol: a line without an end")
            return None
        line, self._line = bytes(self._line), bytearray()
        first, size = line[0], len(line)
        rest = line[1:].rstrip(b"\r\n")
        if first in _SCALARS:
            return Value(chr(first), size, null=first == ord("_"), text=rest[:KEPT_BYTES])
        if first in _BULKS:
            return self._begin_bulk(chr(first), size, _count(rest))
        if first in _ARRAYS | _MAPS:
            return self._begin_parts(first, size, _count(rest))
        if self._inline and not self._open:
            return _inline_command(line)
        raise BlindError(f"not the Redis protocol: a value that starts with {line[:1]!r}")

    def _begin_bulk(self, kind: str, size: int, length: int) -> Value | None:
        if length < 0:
            return Value(kind, size, null=True)
        if length > MAX_BULK_BYTES:
            raise BlindError(f"not the Redis protocol: a string of {length} bytes")
        self._left = length + 2
        self._bulk = Value(kind, size + self._left)
        return None

    def _begin_parts(self, first: int, size: int, count: int) -> Value | None:
        value = Value(chr(first), size, null=count < 0, awaited=count * (2 if first in _MAPS else 1))
        if count <= 0:
            return value
        self._open.append(value)
        return None

    def _close(self, value: Value) -> Value | None:
        """Put a finished value into the one around it; return the outermost when it is whole."""
        while True:
            if value.type == "|":
                self._extra += value.size
                return None
            value.size, self._extra = value.size + self._extra, 0
            if not self._open:
                return value
            around = self._open[-1]
            around.parts.append(value)
            around.size += value.size
            if len(around.parts) < around.awaited:
                return None
            value = self._open.pop()


def _count(digits: bytes) -> int:
    try:
        return int(digits)
    except ValueError as error:
        raise BlindError(f"not the Redis protocol: a length of {digits[:20]!r}") from error


def _inline_command(line: bytes) -> Value:
    words = [Value("$", len(word), text=word[:KEPT_BYTES]) for word in line.split()]
    return Value("", len(line), parts=words)
