"""Where the carrier is, and how it is asked: by a thread that waits, or by an event loop that goes on."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from django.conf import settings

if TYPE_CHECKING:
    import aiohttp
    import urllib3

CARRIER = Path(__file__).with_name("carrier.py")
PATIENCE_S = 2.0
MOST_CONNECTIONS = 1_000
Quote = dict[str, Any]

_starting = threading.Lock()
_sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, aiohttp.ClientSession] = WeakKeyDictionary()


class CarrierError(Exception):
    """The carrier gave no quote."""


def ask(country: str) -> Quote:
    """Return a country's quote, waiting for it; raises `CarrierError`."""
    from urllib3.exceptions import HTTPError  # noqa: PLC0415 - imported where a carrier is asked

    try:
        answer = _pool().request("GET", f"{address()}/quotes/{country}")
        body = answer.data
    except (HTTPError, OSError) as error:
        raise CarrierError(type(error).__name__) from error
    return _quote(answer.status, body)


async def ask_async(country: str) -> Quote:
    """Return a country's quote while the event loop serves others; raises `CarrierError`."""
    import aiohttp  # noqa: PLC0415 - as above

    base = _known[0] if _known else await asyncio.to_thread(address)
    try:
        async with (await _session()).get(f"{base}/quotes/{country}") as answer:
            body, status = await answer.read(), answer.status
    except (aiohttp.ClientError, TimeoutError) as error:
        raise CarrierError(type(error).__name__) from error
    return _quote(status, body)


def address() -> str:
    """Return the carrier's address: the one that is set, or that of a carrier of this process's own.

    It is started when it is first asked, so that shops that are not asked have none.
    """
    with _starting:
        if not _known:
            _known.append(settings.SHOP_CARRIER_URL or _start())
    return _known[0]


_known: list[str] = []
_own: list[subprocess.Popen[str]] = []


def _start() -> str:
    """Start a carrier, which ends with this process, and return its address."""
    carrier = subprocess.Popen(
        [sys.executable, str(CARRIER), str(settings.SHOP_CARRIER_MS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    _own.append(carrier)
    port = carrier.stdout.readline().strip() if carrier.stdout else ""
    if not port:
        raise CarrierError("the carrier did not start")
    return f"http://127.0.0.1:{port}"


@cache
def _pool() -> urllib3.PoolManager:
    import urllib3  # noqa: PLC0415 - as above

    return urllib3.PoolManager(maxsize=64, timeout=PATIENCE_S, retries=False)


async def _session() -> aiohttp.ClientSession:
    """Return this event loop's connections."""
    import aiohttp  # noqa: PLC0415 - as above

    loop = asyncio.get_running_loop()
    if loop not in _sessions:
        _sessions[loop] = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=MOST_CONNECTIONS),
            timeout=aiohttp.ClientTimeout(total=PATIENCE_S),
        )
    return _sessions[loop]


def _quote(status: int, body: bytes) -> Quote:
    try:
        told: Quote = json.loads(body)
    except ValueError as error:
        raise CarrierError("no JSON") from error
    if status != 200:  # noqa: PLR2004 - OK
        raise CarrierError(f"status {status}")
    return told
