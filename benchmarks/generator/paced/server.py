"""Serves one request after the other, each in PACE: `server.py PORT`; at 5ms, 200 requests/s at most.

It waits for most of that time instead of working, so that its capacity does not depend on the CPU.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time

PACE_S = {"5ms": 0.005, "2ms": 0.002}[os.environ.get("PACE", "5ms")]
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
_END = b"\r\n\r\n"


class Paced(asyncio.Protocol):
    """Answers each head that ends when its turn is over."""

    free_at = 0.0
    """When all work accepted so far is done; of all connections."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        self._transport, self._rest = transport, b""

    def data_received(self, data: bytes) -> None:
        """Queue an answer for every head that ended."""
        data = self._rest + data
        *heads, self._rest = data.split(_END)
        loop = asyncio.get_running_loop()
        for _ in heads:
            Paced.free_at = max(Paced.free_at, time.monotonic()) + PACE_S
            loop.call_at(Paced.free_at, self._answer)

    def _answer(self) -> None:
        if isinstance(self._transport, asyncio.Transport) and not self._transport.is_closing():
            self._transport.write(ANSWER)


async def serve() -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(Paced, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
