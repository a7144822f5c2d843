"""One keep-alive connection: a request's bytes out, an answer's bytes in, at the least cost.

What makes it cheap: the raw non-blocking socket, one io watcher a connection whose
callback is the waiting greenlet's `switch`, and one C parser that is told neither
names nor values of headers; they are read from the raw head by whoever asks.

What keeps it safe: an answer is bounded in time (`Deadlines`), head and body; a
connection that said anything beyond the answer it owed is not used again.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Final

from greenlet import getcurrent
from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from loadstone.workload.heads import final_head, header_fields
from loadstone.workload.line import RECV_BYTES, Line
from loadstone.workload.servers import Server, StaleError, WireError, explained

_FINAL: Final = 200
"""Statuses below announce another one."""
_MANY_PIECES: Final = 4096


class Connection(Line):
    """A connection of one user; one exchange at a time.

    Attributes:
        status: of the last answer.
        head: its head; may run on into the body.
        head_end: where the head ends, or somewhat behind that.
    """

    __slots__ = (
        "_chunks", "_complete", "_feed", "_keep_alive", "_keeps_alive", "_owe", "_owed", "_status_of",
        "head", "head_end", "status",
    )  # fmt: skip

    def __init__(self, server: Server, limit_s: float) -> None:
        super().__init__(server, limit_s)
        self.status = 0
        self.head = b""
        self.head_end = 0
        self._chunks: list[bytes] = []
        self._owed: list[None] = []
        self._owe = self._owed.append
        self._complete = self._keep_alive = False
        self._feed: Any = None
        self._status_of: Any = None
        self._keeps_alive: Any = None

    def exchange(self, request: bytes, deadline_ns: int, head_only: bool = False) -> bytes:
        """Send a request and return the body of its answer.

        Args:
            request: head and body.
            deadline_ns: when to give up, on `time.perf_counter_ns`.
            head_only: whether the answer has no body whatever its head says (HEAD).

        Raises:
            StaleError: a connection that was used before was closed meanwhile; nothing was answered.
            AnswerTimeoutError: not there in time.
            WireError: anything else that is no answer.
        """
        self.deadline_ns = deadline_ns
        current = getcurrent()
        if current is not self._greenlet:
            self._greenlet, self._wake = current, current.switch
        if self._socket is None or head_only:
            return self._exchange_anew(request, head_only=head_only)
        self._complete = False
        self._owe(None)
        sent = 0
        data: Any = None
        try:
            sent = self._send(request)
            if sent == len(request):
                watcher = self._watcher
                watcher.start(self._wake)
                self._to_hub()
                watcher.stop()
                data = self._receive(RECV_BYTES)
                self._feed(data)
        except BaseException as error:  # noqa: BLE001 - a kill too: what is on the wire belongs to nobody then
            self._look_into(error)
        whole = self._complete
        if not whole:
            data = self._finish(request, sent, data)
        self.deadline_ns = 0
        self.head = data
        chunks = self._chunks
        body = chunks.pop() if chunks else b""
        if chunks:
            body = b"".join((*chunks, body))
            chunks.clear()
        # of an answer that came at once, all that is not body is head (and marks of chunks)
        self.head_end = len(data) - len(body) if whole else final_head(data)[1]
        if not self._keep_alive:
            self.close()
        return body

    def close(self) -> None:
        """Hang up; the next exchange connects again."""
        super().close()
        self._chunks.clear()
        self._owed.clear()
        # bound methods of the parser, which knows methods of this object: no cycle is left behind
        self._feed = self._status_of = self._keeps_alive = None

    def _exchange_anew(self, request: bytes, *, head_only: bool) -> bytes:
        """Exchange on a new connection, or without a body."""
        used = self._socket is not None
        try:
            if not used:
                self._open()
            self._parse(head_only=head_only)
            self._complete = False
            self._owe(None)
            self.head = self._finish(request, 0, None)
        except StaleError as error:
            if used:
                raise
            raise WireError(str(error)) from error
        except BaseException:
            self.close()
            raise
        self.deadline_ns = 0
        self.head_end = final_head(self.head)[1]
        body = b"".join(self._chunks)
        self._chunks.clear()
        if not self._keep_alive or (head_only and body):
            self.close()
        elif head_only:
            self._parse()
        return b"" if head_only else body

    def _look_into(self, error: BaseException) -> None:
        """Return where the exchange can go on after `error`; else close and raise."""
        if isinstance(error, BlockingIOError):  # a full socket, or woken for another reason
            return
        if isinstance(error, HttpParserError | HttpParserUpgrade):
            if self._complete:  # more than the answer that was owed
                self._keep_alive = False
                return
            self.close()
            raise WireError(f"the answer is not HTTP/1: {error}") from error
        self.close()
        if isinstance(error, OSError):
            raise StaleError(explained(error)) from error
        raise error

    def _finish(self, request: bytes, sent: int, data: bytes | None) -> bytes:
        """Send what is left, receive until the answer is complete, and return its head.

        Args:
            request: the whole.
            sent: how much of it is sent.
            data: what was received already; nothing where the server hung up, None before.
        """
        try:
            if sent < len(request):
                self._send_rest(request, sent)
            if data == b"":
                self._end_of_stream(b"")
            return self._read_on(data or b"")
        except BaseException:
            self.close()
            raise

    def _read_on(self, head: bytes) -> bytes:
        """Receive until the answer is complete and return its head, which began with `head`."""
        received, joined = len(head), 0
        most = self._server.max_head_bytes + self._server.max_body_bytes
        while not self._complete:
            data = self._more()
            if not data:
                self._end_of_stream(head)
                break
            received += len(data)
            if final_head(head)[1] < 0:
                head += data
                if final_head(head)[1] < 0 and len(head) > self._server.max_head_bytes:
                    raise WireError(f"the answer's head is longer than {self._server.max_head_bytes} bytes")
            try:
                self._feed(data)
            except (HttpParserError, HttpParserUpgrade) as error:
                self._look_into(error)
            if received > most:
                raise WireError(f"the answer is longer than {self._server.max_body_bytes} bytes")
            if len(self._chunks) - joined > _MANY_PIECES:  # a server that sends byte by byte
                self._chunks[joined:] = [b"".join(self._chunks[joined:])]
                joined += 1
        return head

    def _end_of_stream(self, head: bytes) -> None:
        """Complete an answer whose body ends with the connection; raises for any other one."""
        if not head:
            raise StaleError("the server hung up without an answer")
        names = {name for name, _ in header_fields(head)}
        if final_head(head)[1] < 0 or names & {"content-length", "transfer-encoding"}:
            raise WireError("the server hung up in the middle of its answer")
        self.status = self._status_of()
        self._keep_alive = False

    def _parse(self, *, head_only: bool = False) -> None:
        """Make a parser for the answers to come.

        A message may begin only while an answer is owed: `list.pop` then takes the credit, or
        raises, which ends parsing. Both callbacks that are not ours are C functions.
        """
        events = SimpleNamespace(on_message_begin=self._owed.pop, on_body=self._chunks.append)
        setattr(events, "on_headers_complete" if head_only else "on_message_complete", self._on_complete)
        parser = HttpResponseParser(events)
        self._feed = parser.feed_data
        self._status_of = parser.get_status_code
        self._keeps_alive = parser.should_keep_alive

    def _on_complete(self) -> None:
        self.status = self._status_of()
        if self.status < _FINAL:
            self._owed.append(None)
            return
        self._keep_alive = self._keeps_alive()
        self._complete = True
