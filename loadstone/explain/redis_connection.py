"""Follows one Redis connection: which reply answers which command."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from loadstone.explain.redis_commands import READS_MANY, READS_ONE, SUBSCRIBING, command_name, key_pattern
from loadstone.explain.relay import BlindError
from loadstone.explain.resp import RespReader, Value

_TLS_HANDSHAKE = 0x16
_STREAMS = frozenset({"MONITOR", "PSYNC", "SYNC"})
_MESSAGES = frozenset({"MESSAGE", "PMESSAGE", "SMESSAGE"})
_ENDS_TRANSACTION = frozenset({"DISCARD", "EXEC", "RESET"})


@dataclass(slots=True)
class Completion:
    """One command, filled in as its reply arrives."""

    name: str
    key_pattern: str
    bytes_in: int
    bytes_out: int = 0
    hits: int = 0
    misses: int = 0
    duration_us: int = 0
    error: str = ""
    awaited: int = 1
    """Confirmations of a subscription that are still to come."""


class RedisConnection:
    """Observer of one connection.

    Args:
        completed: called with each command once it is answered, before the client sees the answer;
            commands inside MULTI once EXEC or DISCARD is.
    """

    def __init__(self, completed: Callable[[Completion], None]) -> None:
        self._completed = completed
        self._client = RespReader(inline=True)
        self._server = RespReader()
        self._begun = False
        self._subscribed = False
        self._asked: deque[Completion] = deque()
        self._transaction: list[Completion] | None = None
        self._busy_since = 0

    @property
    def pending(self) -> bool:
        """Whether a command awaits its reply."""
        return bool(self._asked)

    def unsent(self) -> bytes:
        """Return nothing: no byte is held back."""
        return b""

    def closed(self) -> None:
        """Record what was sent and never answered."""
        for completion in [*(self._transaction or []), *self._asked]:
            completion.error = "closed"
            self._completed(completion)
        self._transaction = None
        self._asked.clear()

    def from_client(self, data: bytes) -> tuple[bytes, bytes]:
        """Note the commands in `data`; return it to be forwarded."""
        if not self._begun and data[0] == _TLS_HANDSHAKE:
            raise BlindError("a connection to Redis is encrypted")
        self._begun = True
        for value in self._client.feed(data):
            self._ask(value)
        return data, b""

    def from_server(self, data: bytes) -> None:
        """Match replies to commands."""
        for value in self._server.feed(data):
            self._reply(value)

    def _ask(self, value: Value) -> None:
        arguments = [part.text for part in value.parts]
        name = command_name(arguments)
        if not name:
            return  # an empty line is no command and gets no reply
        if name in _STREAMS:
            raise BlindError(f"a client of Redis sent {name}, which the tap cannot follow")
        if name == "CLIENT" and arguments[1:2] and arguments[1].upper() == b"REPLY":
            raise BlindError("a client of Redis turned replies off")
        completion = Completion(name, key_pattern(arguments), value.size)
        if name in SUBSCRIBING:
            self._subscribed = True
            completion.awaited = max(1, len(arguments) - 1)
        if not self._asked:
            self._busy_since = time.perf_counter_ns()
        self._asked.append(completion)

    def _reply(self, value: Value) -> None:
        if self._subscribed and self._is_confirmation_or_message(value):
            return
        if value.type == ">":
            return  # an invalidation or another push: no reply
        if not self._asked:
            raise BlindError("Redis sent a reply that no command asked for")
        completion = self._asked.popleft()
        now = time.perf_counter_ns()
        completion.duration_us, self._busy_since = (now - self._busy_since) // 1000, now
        completion.bytes_out += value.size
        completion.error = value.error
        if self._transaction is not None and completion.name not in _ENDS_TRANSACTION:
            self._queue(completion, value, self._transaction)
            return
        if completion.name in _ENDS_TRANSACTION and not (completion.name == "EXEC" and value.error):
            self._end_transaction(completion, value)
        elif completion.name == "EXEC":
            self._abandon(value.error)
        elif completion.name == "MULTI" and not value.error:
            self._transaction = []
        _count_reads(completion, value)
        self._completed(completion)

    def _queue(self, completion: Completion, value: Value, transaction: list[Completion]) -> None:
        """Keep a command until EXEC, unless it was refused or runs at once (WATCH is refused)."""
        if value.text == b"QUEUED":
            transaction.append(completion)
        else:
            self._completed(completion)

    def _end_transaction(self, end: Completion, value: Value) -> None:
        if end.name != "EXEC" or value.null:
            self._abandon("EXECABORT" if end.name == "EXEC" else "DISCARD")
            return
        for completion, part in zip(self._transaction or [], value.parts, strict=True):
            completion.bytes_out += part.size
            end.bytes_out -= part.size
            completion.error = part.error
            _count_reads(completion, part)
            self._completed(completion)
        self._transaction = None

    def _abandon(self, error: str) -> None:
        for completion in self._transaction or []:
            completion.error = error
            self._completed(completion)
        self._transaction = None

    def _is_confirmation_or_message(self, value: Value) -> bool:
        """Whether a value belongs to publish and subscribe, which answers outside the order."""
        if value.type not in {"*", ">"} or not value.parts:
            return False
        word = value.parts[0].text.decode("ascii", "replace").upper()
        if word in SUBSCRIBING and self._asked and self._asked[0].name == word:
            head = self._asked[0]
            head.bytes_out += value.size
            head.awaited -= 1
            if head.awaited <= 0:
                self._completed(self._asked.popleft())
            return True
        return word in _MESSAGES or word in SUBSCRIBING


def _count_reads(completion: Completion, value: Value) -> None:
    if value.error or completion.error:
        return
    if completion.name in READS_ONE:
        completion.misses = int(value.null)
        completion.hits = 1 - completion.misses
    elif completion.name in READS_MANY:
        completion.misses = sum(part.null for part in value.parts)
        completion.hits = len(value.parts) - completion.misses
