"""The process that serves a run's live page; started by `live`, which tells it what to show.

`python -m loadstone.telemetry.live_server FD` serves on a listening socket and reads
`Told` from its standard input; it ends with the report, or with the input.
"""

from __future__ import annotations

import json
import os
import select
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO

import msgspec

from loadstone.record.going import Going
from loadstone.report import live_page
from loadstone.telemetry.live import HOST, LENGTH_BYTES, LINGER_S, Told
from loadstone.verdict.load_so_far import LoadSoFar

MOST_STREAMS = 32
"""Pages that are kept current at once."""
REQUEST_TIMEOUT_S = 10.0
LOWEST = 19
"""Niceness, where there is no idle class."""
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Board:
    """What there is to see, and who waits for more."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._going: live_page.State = Going()
        self._report: bytes | None = None
        self._version = 0
        self._streams = 0
        self._owed = 0

    def put(self, state: live_page.State) -> None:
        """Show another state."""
        with self._changed:
            self._going, self._version = state, self._version + 1
            self._changed.notify_all()

    def end(self, report: bytes) -> None:
        """Show the report from now on, and tell all open pages."""
        with self._changed:
            self._report, self._owed = report, self._streams
            self._changed.notify_all()

    def page(self) -> tuple[bytes, bool]:
        """Return the page as it stands, or the report that took its place, and whether it is the report."""
        with self._changed:
            state, report = self._going, self._report
        return (live_page.render(state).encode(), False) if report is None else (report, True)

    def fetched(self) -> None:
        """Take that one more page has the report."""
        with self._changed:
            self._owed -= 1
            self._changed.notify_all()

    def enter(self) -> bool:
        """Count an open page; False where there are too many."""
        with self._changed:
            fits = self._streams < MOST_STREAMS
            self._streams += fits
            return fits

    def leave(self, *, gone: bool) -> None:
        """Count one less; one that is gone fetches no report."""
        with self._changed:
            self._streams -= 1
            if gone and self._report is not None:
                self._owed -= 1
                self._changed.notify_all()

    def await_news(self, seen: int) -> tuple[int, live_page.State] | None:
        """Wait for a state newer than `seen`; None: there is none, and the report has taken its place."""
        with self._changed:
            self._changed.wait_for(lambda: self._version > seen or self._report is not None)
            return (self._version, self._going) if self._version > seen else None

    def await_fetched(self, seconds: float) -> None:
        """Wait until every open page has the report, or for so long."""
        with self._changed:
            self._changed.wait_for(lambda: self._owed <= 0, seconds)


class Handler(BaseHTTPRequestHandler):
    """Answers browsers of this machine; its class attributes are set by `serve`."""

    board: Board
    hosts: frozenset[str]
    timeout = REQUEST_TIMEOUT_S

    def do_GET(self) -> None:
        """Answer with the page, or with its updates."""
        if self.headers.get("Host") not in self.hosts:  # a name that was bound to 127.0.0.1 by somebody else
            self._answer(421, "text/plain", b"this address is served to this machine alone\n")
        elif self.path == "/":
            page, is_report = self.board.page()
            self._answer(200, "text/html", page)
            if is_report:
                self.board.fetched()
        elif self.path == "/events":
            self._stream()
        else:
            self._answer(404, "text/plain", b"there is only /\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base calls it
        """Say nothing: nobody reads it."""

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self._begin(status, kind, {"Content-Length": str(len(body))})
        self.wfile.write(body)
        self.wfile.flush()

    def _begin(self, status: int, kind: str, more: dict[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        for name, value in (_HEADERS | more).items():
            self.send_header(name, value)
        self.end_headers()

    def _stream(self) -> None:
        """Send every state, from the present one on, until the report takes its place."""
        if not self.board.enter():
            self._answer(503, "text/plain", b"too many pages are open\n")
            return
        gone = True
        try:
            self._begin(200, "text/event-stream", {})
            seen = -1
            while (news := self.board.await_news(seen)) is not None:
                seen, state = news
                told = {"title": live_page.title(state), "say": live_page.said(state)}
                self._event("shown", {**told, "body": live_page.body(state)})
            gone = _hung_up(self.connection)
            self._event("over", {})
        except OSError:  # the page was closed
            pass
        finally:
            self.board.leave(gone=gone)

    def _event(self, name: str, data: dict[str, str]) -> None:
        self.wfile.write(f"event: {name}\ndata: {json.dumps(data)}\n\n".encode())
        self.wfile.flush()


class Server(ThreadingHTTPServer):
    """Serves on a socket that listens already."""

    daemon_threads = True

    def __init__(self, listener: socket.socket, handler: type[Handler]) -> None:
        super().__init__(listener.getsockname(), handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that hangs up is none."""


def serve(listener: socket.socket, board: Board) -> Server:
    """Answer on `listener` in threads of their own."""
    port = listener.getsockname()[1]
    hosts = frozenset({f"{HOST}:{port}", f"localhost:{port}"})
    server = Server(listener, type("BoundHandler", (Handler,), {"board": board, "hosts": hosts}))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 60.0}, daemon=True).start()
    return server


def follow(stream: BinaryIO, board: Board) -> None:
    """Show what `stream` tells, until the report or the end."""
    load = LoadSoFar()
    for told in _messages(stream):
        _move(told.cores)
        if told.going is not None:
            board.put(told.going)
        if told.news is not None:
            board.put(load.take(told.news))
        if told.search is not None:
            board.put(told.search)
        if told.report is not None:
            _hurry()
            board.end(_read(told.report))
            board.await_fetched(LINGER_S)
            return


def _messages(stream: BinaryIO) -> Iterator[Told]:
    while len(head := stream.read(LENGTH_BYTES)) == LENGTH_BYTES:
        yield msgspec.msgpack.decode(stream.read(int.from_bytes(head, "big")), type=Told)


def _move(cores: list[int]) -> None:
    """Run on these cores from now on, every thread of it; new ones follow the one that starts them."""
    if cores:
        with suppress(OSError):
            for thread in Path("/proc/self/task").iterdir():
                os.sched_setaffinity(int(thread.name), cores)


def _hurry() -> None:
    """Leave the idle class, where that is allowed: nothing is measured any more."""
    with suppress(OSError):
        for thread in Path("/proc/self/task").iterdir():
            os.sched_setscheduler(int(thread.name), os.SCHED_OTHER, os.sched_param(0))


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        return f"the report could not be read: {error}\n".encode()


def _hung_up(connection: socket.socket) -> bool:
    """Say whether the other end has closed; a browser sends nothing more on such a connection."""
    readable, _, _ = select.select([connection], [], [], 0)
    return bool(readable) and not connection.recv(1, socket.MSG_PEEK)


def main() -> None:
    """Serve until the run is over, or gone."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, LOWEST)
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    board = Board()
    server = serve(socket.socket(fileno=int(sys.argv[1])), board)
    live_page.render(Going())  # templates are read before anything is measured
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    follow(sys.stdin.buffer, board)
    server.server_close()


if __name__ == "__main__":
    main()
