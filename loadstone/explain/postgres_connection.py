"""Follows one PostgreSQL connection: what was asked, and which answer belongs to what."""

from __future__ import annotations

import struct
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from loadstone.explain.postgres_framing import Asked, Framer, asked_by, error_code, tagged_rows
from loadstone.explain.relay import BlindError

_PACKET = struct.Struct(">ii")
_SSL_REQUEST = 80877103
_GSS_REQUEST = 80877104
_CANCEL_REQUEST = 80877102
_PROTOCOL_MAJOR = 3
_LONGEST_STARTUP = 10_000
_DECLINED = b"N"

_EXTENDED = frozenset("PBDEC")
_IGNORED_BY_CLIENT = frozenset("dpHX")
"""Copy data, passwords, Flush and Terminate ask for no answer of their own."""
_ANSWERLESS = frozenset("SA")
"""ParameterStatus and NotificationResponse come at any time and belong to no statement."""
_PASSING = frozenset("TnDtNdcHRKvV")
"""Parts of an answer that do not end it; T, n, D and H get a second look."""


@dataclass(frozen=True, slots=True)
class Completion:
    """The end of one statement."""

    sql: str
    rows: int
    response_bytes: int
    duration_us: int
    error: str


class PostgresConnection:
    """Observer of one connection.

    Args:
        completed: called with each statement when its result has ended, before the client sees the end.
        give_up: called with the reason when counts can no longer be whole.
    """

    def __init__(self, completed: Callable[[Completion], None], give_up: Callable[[str], None]) -> None:
        self._completed = completed
        self._give_up = give_up
        self._client = Framer(b"QPBEC")
        self._server = Framer(b"CE")
        self._startup: bytearray | None = bytearray()
        self._cancelling = False
        self._queue: deque[Asked] = deque()
        self._prepared: dict[str, str] = {}
        self._portals: dict[str, str] = {}
        self._skipping = False
        """The upstream ignores everything up to the next Sync: a message failed."""
        self._copying = False
        """The upstream reads copy data, and ignores a Sync among it."""
        self._rows = self._bytes = 0
        self._busy_since = 0

    @property
    def pending(self) -> bool:
        """Whether a statement or Sync awaits its answer."""
        return any(asked.code not in {"start", "c"} for asked in tuple(self._queue))

    def unsent(self) -> bytes:
        """Return the bytes of a start-up packet that was never finished."""
        return bytes(self._startup or b"")

    def closed(self) -> None:
        """Record the statement that was running as ended by the close."""
        if self._queue and self._queue[0].code in {"Q", "E"}:
            self._fail(self._queue[0], "closed")
        self._queue.clear()

    def from_client(self, data: bytes) -> tuple[bytes, bytes]:
        """Note what is asked; return what to forward, and what to answer at once."""
        if self._startup is None:
            self._follow(data)
            return data, b""
        self._startup += data
        answer = self._decline_encryption(self._startup)
        length = self._startup_length(self._startup)
        if not 0 < length <= len(self._startup):
            return b"", answer
        forward = bytes(self._startup)
        if not self._cancelling:
            self._queue.append(Asked("start"))
        self._follow(forward[length:])
        self._startup = None
        return forward, answer

    def _follow(self, data: bytes) -> None:
        if not self._cancelling:
            for code, body, _ in self._client.feed(data):
                self._ask(code, body)

    def from_server(self, data: bytes) -> None:
        """Match answers to what was asked."""
        if not self._cancelling:
            for code, body, size in self._server.feed(data):
                self._answer(code, body, size)

    def _decline_encryption(self, packet: bytearray) -> bytes:
        answer = b""
        while len(packet) >= _PACKET.size and _PACKET.unpack_from(packet) in {
            (_PACKET.size, _SSL_REQUEST),
            (_PACKET.size, _GSS_REQUEST),
        }:
            del packet[: _PACKET.size]
            answer += _DECLINED
        return answer

    def _startup_length(self, packet: bytearray) -> int:
        """Return the length that the start-up packet claims, 0 while that is unknown."""
        if len(packet) < _PACKET.size:
            return 0
        length, code = _PACKET.unpack_from(packet)
        self._cancelling = code == _CANCEL_REQUEST
        if not _PACKET.size <= length <= _LONGEST_STARTUP or not (
            self._cancelling or code >> 16 == _PROTOCOL_MAJOR
        ):
            raise BlindError("a connection did not begin as PostgreSQL protocol 3 without encryption")
        return int(length)

    def _ask(self, code: str, body: bytes) -> None:
        if code in _IGNORED_BY_CLIENT:
            return
        if code == "S":
            if self._copying:
                return
            self._skipping = False
        elif self._skipping:
            return
        if code in "cf":
            self._copying = False
            code = "c"
        if not self._queue:
            self._busy_since = time.perf_counter_ns()
        self._queue.append(asked_by(code, body))

    def _answer(self, code: str, body: bytes, size: int) -> None:
        if code in _ANSWERLESS:
            return
        while self._queue and self._queue[0].code == "c":
            self._queue.popleft()  # the end of copy data is answered by the COPY itself
        if not self._queue:
            if code not in "EN":  # the upstream may complain unasked, as when it shuts down
                raise BlindError(f"PostgreSQL sent an unexpected message of type {code!r}")
            return
        self._bytes += size
        head = self._queue[0]
        if code in _PASSING:
            self._pass(head, code)
        elif handler := self._HANDLERS.get(code):
            handler(self, head, body)
        else:
            raise BlindError(f"PostgreSQL sent a message of type {code!r}, which the tap cannot follow")

    def _pass(self, head: Asked, code: str) -> None:
        if code == "D":
            self._rows += 1
        elif code in "Tn" and head.code == "D":
            self._queue.popleft()
        elif code == "V":
            self._complete("FUNCTION CALL", "")

    def _copy_in(self, _head: Asked, _body: bytes) -> None:
        """Drop what the upstream will ignore: any Sync before the end of the copy data."""
        rest = [asked.code for asked in self._queue]
        self._copying = "c" not in rest
        end = len(rest) if self._copying else rest.index("c")
        self._queue = deque(
            asked for index, asked in enumerate(self._queue) if index >= end or asked.code != "S"
        )

    def _parsed(self, head: Asked, _body: bytes) -> None:
        self._expect(head, "P")
        self._prepared[head.name] = head.sql
        self._queue.popleft()

    def _bound(self, head: Asked, _body: bytes) -> None:
        self._expect(head, "B")
        self._portals[head.portal] = self._text_of(self._prepared, head.name, "prepared statement")
        self._queue.popleft()

    def _dropped(self, head: Asked, _body: bytes) -> None:
        self._expect(head, "C")
        (self._prepared if head.portal == "S" else self._portals).pop(head.name, None)
        self._queue.popleft()

    def _ready(self, head: Asked, _body: bytes) -> None:
        if head.code not in {"start", "Q", "S", "F"}:
            raise BlindError(f"PostgreSQL was ready before it had answered a message of type {head.code!r}")
        self._queue.popleft()
        self._rows = self._bytes = 0
        self._busy_since = time.perf_counter_ns()

    def _ended(self, head: Asked, body: bytes) -> None:
        """End one statement: CommandComplete, EmptyQueryResponse or PortalSuspended."""
        rows = self._rows or tagged_rows(body)
        self._complete(self._running(head), "", rows)
        head.ended = head.done >= len(head.pieces)
        if head.code == "E":
            self._queue.popleft()

    def _failed(self, head: Asked, body: bytes) -> None:
        self._fail(head, error_code(body))
        self._copying = False
        if head.code in _EXTENDED:
            while self._queue and self._queue[0].code != "S":
                self._queue.popleft()
            self._skipping = not self._queue

    def _fail(self, head: Asked, error: str) -> None:
        if head.code == "B":
            self._complete(self._text_of(self._prepared, head.name, "prepared statement"), error)
        elif head.code == "P":
            self._complete(head.sql, error)
        elif head.code == "E" or (head.code == "Q" and not head.ended):
            self._complete(self._running(head), error)
            head.ended = True

    def _running(self, head: Asked) -> str:
        """Return the text of the statement whose result is being sent."""
        if head.code == "E":
            return self._text_of(self._portals, head.name, "portal")
        self._expect(head, "Q")
        if head.done < len(head.pieces):
            head.done += 1
            return head.pieces[head.done - 1]
        if head.pieces:
            self._give_up("a query of several statements had more results than statements")
        return head.sql

    def _text_of(self, texts: dict[str, str], name: str, what: str) -> str:
        if name not in texts:
            self._give_up(f"the text of a {what} is not known")
        return texts.get(name, "")

    def _expect(self, head: Asked, code: str) -> None:
        if head.code != code:
            raise BlindError(f"PostgreSQL answered a message of type {code!r} where {head.code!r} was asked")

    def _complete(self, sql: str, error: str, rows: int = 0) -> None:
        now = time.perf_counter_ns()
        duration_us = (now - self._busy_since) // 1000
        self._completed(
            Completion(sql=sql, rows=rows, response_bytes=self._bytes, duration_us=duration_us, error=error)
        )
        self._rows = self._bytes = 0
        self._busy_since = now

    _HANDLERS: ClassVar[dict[str, Callable[[PostgresConnection, Asked, bytes], None]]] = {
        "1": _parsed,
        "2": _bound,
        "3": _dropped,
        "C": _ended,
        "I": _ended,
        "s": _ended,
        "E": _failed,
        "G": _copy_in,
        "Z": _ready,
    }
