"""A server that answers after 100 ms and freezes for a second in every five: `stalling_server.py`.

Prints its port, and the instant of `time.perf_counter_ns` from which the fives count.
"""

from __future__ import annotations

import asyncio
import sys
import time

SERVICE_S, EVERY_S, FROZEN_S = 0.100, 5.0, 1.0
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
_END = b"\r\n\r\n"


class Answering(asyncio.Protocol):
    """Answers each request `SERVICE_S` after it came."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a stream was accepted")
        self._transport = transport
        self._later = asyncio.get_running_loop().call_later

    def data_received(self, data: bytes) -> None:
        """Answer later; a client sends one request at a time."""
        if data.endswith(_END):
            self._later(SERVICE_S, self._transport.write, ANSWER)


async def serve() -> None:
    """Serve, and freeze in the last second of every five."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answering, "127.0.0.1", 0, backlog=4096)
    zero = time.perf_counter()
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]} {int(zero * 1e9)}\n")
    sys.stdout.flush()

    def freeze(turn: int) -> None:
        time.sleep(max(0.0, zero + turn * EVERY_S - time.perf_counter()))
        plan(turn + 1)

    def plan(turn: int) -> None:
        starts = zero + turn * EVERY_S - FROZEN_S
        loop.call_later(max(0.0, starts - time.perf_counter()), freeze, turn)

    plan(1)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
