"""The plumbing of a tap: connections accepted, forwarded, and shown to an observer."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import socket
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

CHUNK_BYTES = 1 << 16
CONNECT_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 5.0
BACKLOG = 128


class BlindError(Exception):
    """An observer can no longer follow a connection; the message says why."""


class Observer(Protocol):
    """Follows one connection. It may look, and answer in the upstream's place, but never alter."""

    @property
    def pending(self) -> bool:
        """Whether the client awaits an answer."""

    def from_client(self, data: bytes) -> tuple[bytes, bytes]:
        """Look at bytes of the client; return what to forward, and what to answer at once."""

    def from_server(self, data: bytes) -> None:
        """Look at bytes of the upstream that are about to be forwarded."""

    def unsent(self) -> bytes:
        """Return bytes of the client that were held back until they could be understood."""

    def closed(self) -> None:
        """Account for what was never answered: the upstream has ended. It may be called again."""


class Relay:
    """Forwards connections between a loopback port and an upstream, in a thread of its own."""

    def __init__(self, host: str, port: int, observe: Callable[[int], Observer]) -> None:
        self._host = host
        self._upstream_port = port
        self._observe = observe
        self._numbers = itertools.count(1)
        self._connections: set[asyncio.Task[None]] = set()
        self._listener: socket.socket | None = None
        self._port = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port listened on; raises `RuntimeError` before `start`."""
        self._bound()
        return self._port

    def start(self) -> None:
        """Bind a free loopback port and begin to accept."""
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        self._listener.settimeout(0)
        self._port = self._listener.getsockname()[1]
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="wire-tap", daemon=True)
        self._thread.start()
        ready.wait()

    def close(self) -> None:
        """Cut every connection and end the thread; safe to call twice."""
        thread, self._thread = self._thread, None
        if thread is not None and self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            thread.join(STOP_TIMEOUT_S)

    def _run(self, ready: threading.Event) -> None:
        try:
            asyncio.run(self._accept(ready))
        finally:
            ready.set()

    async def _accept(self, ready: threading.Event) -> None:
        loop = self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        with self._bound() as listener:
            loop.add_reader(listener, self._take, listener)
            ready.set()
            await self._stop.wait()
            loop.remove_reader(listener)
        for task in tuple(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _take(self, listener: socket.socket) -> None:
        """Accept at once, so that no connection is lost between being accepted and being known."""
        with contextlib.suppress(OSError):  # the client has gone away again
            client, _ = listener.accept()
            client.settimeout(0)
            task = asyncio.get_running_loop().create_task(self._serve(client))
            self._connections.add(task)
            task.add_done_callback(functools.partial(self._served, client))

    def _served(self, client: socket.socket, task: asyncio.Task[None]) -> None:
        self._connections.discard(task)
        client.close()

    async def _serve(self, client: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(sock=client, limit=CHUNK_BYTES)
        try:
            from_upstream, to_upstream = await asyncio.wait_for(self._connect(), CONNECT_TIMEOUT_S)
        except OSError:  # a timeout is one, too
            writer.transport.abort()
            return
        observer = self._observe(next(self._numbers))
        try:
            await _both(
                _pump_up(reader, to_upstream, writer, observer), _pump_down(from_upstream, writer, observer)
            )
            await _flush(to_upstream, writer)
        finally:
            observer.closed()
            to_upstream.transport.abort()
            writer.transport.abort()

    def _bound(self) -> socket.socket:
        if self._listener is None:
            raise RuntimeError("the tap has not been started")
        return self._listener

    def _connect(self) -> Coroutine[Any, Any, tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        if self._host.startswith("/"):
            path = f"{self._host}/.s.PGSQL.{self._upstream_port}"
            return asyncio.open_unix_connection(path, limit=CHUNK_BYTES)
        return asyncio.open_connection(self._host, self._upstream_port, limit=CHUNK_BYTES)


async def _flush(*writers: asyncio.StreamWriter) -> None:
    """Close both sides once everything has been sent."""
    for writer in writers:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _both(up: Coroutine[Any, Any, None], down: Coroutine[Any, Any, None]) -> None:
    """Pump until both directions have ended, or one is broken off."""
    try:
        async with asyncio.TaskGroup() as pumps:
            pumps.create_task(up)
            pumps.create_task(down)
    except* OSError:
        # A reset by either side ends the connection as a close would.
        pass


async def _pump_up(
    reader: asyncio.StreamReader,
    upstream: asyncio.StreamWriter,
    client: asyncio.StreamWriter,
    observer: Observer,
) -> None:
    while data := await reader.read(CHUNK_BYTES):
        forward, answer = observer.from_client(data)
        if answer:
            client.write(answer)
        if forward:
            upstream.write(forward)
            await upstream.drain()
    upstream.write(observer.unsent())
    upstream.write_eof()


async def _pump_down(reader: asyncio.StreamReader, client: asyncio.StreamWriter, observer: Observer) -> None:
    while data := await reader.read(CHUNK_BYTES):
        observer.from_server(data)
        client.write(data)
        await client.drain()
    observer.closed()  # whatever is unanswered remains so; said before the client can notice
    client.write_eof()
