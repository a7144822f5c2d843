"""A carrier's quotes, after a while: a server on loopback that stands for somebody else's.

Run as `python carrier.py MILLISECONDS`: writes the port that it was given, and ends
when its standard input does, so that it cannot outlive whoever started it.
"""

import asyncio
import json
import re
import signal
import sys
from functools import partial

COUNTRY = re.compile(rb"GET /quotes/([A-Z]{2}) HTTP/1\.1\r\n")
_END_OF_HEAD = b"\r\n\r\n"


def quote(country: str) -> dict[str, object]:
    """Return a country's quote, always the same."""
    first, second = (ord(letter) - ord("A") for letter in country)
    return {"country": country, "days": 1 + first % 7, "price": f"{4 + second % 9}.90"}


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, wait_s: float) -> None:
    """Answer one connection's requests, one after another."""
    try:
        while True:
            head = await reader.readuntil(_END_OF_HEAD)
            await asyncio.sleep(wait_s)
            asked = COUNTRY.match(head)
            body = json.dumps(quote(asked[1].decode()) if asked else {}).encode()
            status = "200 OK" if asked else "404 Not Found"
            writer.write(
                f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
            await writer.drain()
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
        writer.close()


async def main(wait_s: float) -> None:
    """Serve until the standard input ends."""
    answer = partial(serve, wait_s=wait_s)
    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.buffer.read)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the end of the input tells
    asyncio.run(main(float(sys.argv[1]) / 1000))
