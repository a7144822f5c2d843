"""Follows one PostgreSQL connection: what was asked, and which answer belongs to what."""

from __future__ import annotations

import struct
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from loadstone.explain.postgres_framing import Framer, error_code, split_strings
from loadstone.explain.relay import BlindError
from loadstone.explain.sql_tokens import split_statements

_PACKET = struct.Struct(">ii")
_SSL_REQUEST = 80877103
_GSS_REQUEST = 80877104
_CANCEL_REQUEST = 80877102
_PROTOCOL_MAJOR = 3
_DECLINED = b"N"

_EXTENDED = frozenset("PBDEC")
_IGNORED_BY_CLIENT = frozenset("dpHX")
"""Copy data, passwords, Flush and Terminate ask for no answer of their own."""
_ANSWERLESS = frozenset("SA")
"""ParameterStatus and NotificationResponse come at any time and belong to no statement."""
_PASSING = frozenset("TnDtNdcHRKvV")
"""Parts of an answer that do not end it; T, n, D and H get a second look."""
_COUNTING_TAGS = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "COPY", "SELECT", "MOVE", "FETCH"})


@dataclass(frozen=True, slots=True)
class Completion:
    """The end of one statement."""

    sql: str
    rows: int
    response_bytes: int
    duration_us: int
    error: str


@dataclass(slots=True)
class _Asked:
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
        self._queue: deque[_Asked] = deque()
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
        answer = b""
        if self._startup is not None:
            self._startup += data
            answer = self._decline_encryption(self._startup)
            data = self._take_startup(self._startup)
            forward = data
            data = data[_PACKET.unpack_from(data)[0] :] if data else b""
        else:
            forward = data
        if not self._cancelling:
            for code, body, _ in self._client.feed(data):
                self._ask(code, body)
        return forward, answer

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

    def _take_startup(self, packet: bytearray) -> bytes:
        """Return all that came once the start-up packet is whole; before that, nothing."""
        if len(packet) < _PACKET.size:
            return b""
        length, code = _PACKET.unpack_from(packet)
        if code != _CANCEL_REQUEST and code >> 16 != _PROTOCOL_MAJOR:
            raise BlindError("a connection did not begin as PostgreSQL protocol 3 without encryption")
        if len(packet) < length:
            return b""
        self._startup = None
        self._cancelling = code == _CANCEL_REQUEST
        if not self._cancelling:
            self._queue.append(_Asked("start"))
        return bytes(packet)

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
        self._queue.append(_asked(code, body))

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

    def _pass(self, head: _Asked, code: str) -> None:
        if code == "D":
            self._rows += 1
        elif code in "Tn" and head.code == "D":
            self._queue.popleft()
        elif code == "V":
            self._complete("FUNCTION CALL", "")

    def _copy_in(self, _head: _Asked, _body: bytes) -> None:
        """Drop what the upstream will ignore: any Sync before the end of the copy data."""
        rest = [asked.code for asked in self._queue]
        self._copying = "c" not in rest
        end = len(rest) if self._copying else rest.index("c")
        self._queue = deque(
            asked for index, asked in enumerate(self._queue) if index >= end or asked.code != "S"
        )

    def _parsed(self, head: _Asked, _body: bytes) -> None:
        self._expect(head, "P")
        self._prepared[head.name] = head.sql
        self._queue.popleft()

    def _bound(self, head: _Asked, _body: bytes) -> None:
        self._expect(head, "B")
        self._portals[head.portal] = self._text_of(self._prepared, head.name, "prepared statement")
        self._queue.popleft()

    def _dropped(self, head: _Asked, _body: bytes) -> None:
        self._expect(head, "C")
        (self._prepared if head.portal == "S" else self._portals).pop(head.name, None)
        self._queue.popleft()

    def _ready(self, head: _Asked, _body: bytes) -> None:
        if head.code not in {"start", "Q", "S", "F"}:
            raise BlindError(f"PostgreSQL was ready before it had answered a message of type {head.code!r}")
        self._queue.popleft()
        self._rows = self._bytes = 0
        self._busy_since = time.perf_counter_ns()

    def _ended(self, head: _Asked, body: bytes) -> None:
        """End one statement: CommandComplete, EmptyQueryResponse or PortalSuspended."""
        rows = self._rows or _tagged_rows(body)
        self._complete(self._running(head), "", rows)
        if head.code == "E":
            self._queue.popleft()

    def _failed(self, head: _Asked, body: bytes) -> None:
        self._fail(head, error_code(body))
        self._copying = False
        if head.code in _EXTENDED:
            while self._queue and self._queue[0].code != "S":
                self._queue.popleft()
            self._skipping = not self._queue

    def _fail(self, head: _Asked, error: str) -> None:
        if head.code == "B":
            self._complete(self._text_of(self._prepared, head.name, "prepared statement"), error)
        elif head.code == "P":
            self._complete(head.sql, error)
        elif head.code in {"Q", "E"}:
            self._complete(self._running(head), error)

    def _running(self, head: _Asked) -> str:
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

    def _expect(self, head: _Asked, code: str) -> None:
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

    _HANDLERS: ClassVar[dict[str, Callable[[PostgresConnection, _Asked, bytes], None]]] = {
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


def _asked(code: str, body: bytes) -> _Asked:
    if code == "Q":
        (sql,) = split_strings(body, 1)
        return _Asked("Q", sql=sql, pieces=split_statements(sql))
    if code == "P":
        name, sql = split_strings(body, 2)
        return _Asked("P", name=name, sql=sql)
    if code == "B":
        portal, name = split_strings(body, 2)
        return _Asked("B", portal=portal, name=name)
    if code == "E":
        return _Asked("E", name=split_strings(body, 1)[0])
    if code == "C":
        return _Asked("C", portal=chr(body[0]), name=split_strings(body[1:], 1)[0])
    if code in "DSFc":
        return _Asked(code)
    raise BlindError(f"a client sent a message of type {code!r}, which the tap cannot follow")


def _tagged_rows(tag: bytes) -> int:
    """Return the count in a CommandComplete tag such as `INSERT 0 5`, 0 without one."""
    words = tag.rstrip(b"\0").decode("ascii", "replace").split()
    counts = len(words) > 1 and words[0] in _COUNTING_TAGS and words[-1].isdigit()
    return int(words[-1]) if counts else 0
