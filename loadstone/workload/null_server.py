"""A server that does nothing, for what a generator can send at most: `null_server.py`.

Prints its port and answers every request on a connection with the same few bytes.
"""

from __future__ import annotations

import asyncio
import sys

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
_END = b"\r\n\r\n"


class Null(asyncio.Protocol):
    """Answers each head that ends; requests have no body."""

    def __init__(self) -> None:
        self._rest = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer as often as a head ended."""
        data = self._rest + data
        count = data.count(_END)
        self._rest = data[data.rfind(_END) + len(_END) :] if count else data
        if count and self._transport is not None:
            self._transport.write(ANSWER * count)


async def serve() -> None:
    """Serve on a free port of 127.0.0.1 until killed."""
    server = await asyncio.get_running_loop().create_server(Null, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
