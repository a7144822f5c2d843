"""Servers to connect to, and what may go wrong below HTTP."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any

from gevent.socket import getaddrinfo


class WireError(Exception):
    """The exchange failed below HTTP, or the answer was none."""


class StaleError(WireError):
    """The server hung up before it answered anything: it had grown tired of the connection."""


class AnswerTimeoutError(WireError):
    """The answer was not there in time."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where to connect to, and how much it may answer."""

    host: str
    port: int
    tls: SSLContext | None = None
    max_head_bytes: int = 65_536
    max_body_bytes: int = 64 << 20


def resolve(host: str, port: int) -> list[tuple[int, Any]]:
    """Return (family, address) pairs of a host, asked for once; raises `WireError` for an unknown one."""
    known = _addresses.get((host, port))
    if known is None:
        try:
            found = getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise WireError(f"unknown host {host}: {explained(error)}") from error
        known = _addresses[host, port] = [(family, address) for family, _, _, _, address in found]
    return known


def explained(error: OSError) -> str:
    """Return what the system says about an error."""
    return error.strerror or str(error)


_addresses: dict[tuple[str, int], list[tuple[int, Any]]] = {}
