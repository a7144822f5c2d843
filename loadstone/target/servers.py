"""Starting a variant's server and waiting until it is healthy."""

from __future__ import annotations

import http.client
import os
import signal
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from loadstone.config.model import ANY_ANSWER, Variant
from loadstone.errors import TargetError
from loadstone.secrecy import clean_words
from loadstone.target import placeholders
from loadstone.target.cpu import tree
from loadstone.target.placeholders import Place
from loadstone.target.processes import Child, Supervisor, find_processes

POLL_S = 0.02
POLL_TIMEOUT_S = 2.0
_LISTEN = "0A"
"""State of a listening socket in /proc/net/tcp."""


@dataclass(frozen=True, slots=True)
class Server:
    """A variant's server process."""

    variant: Variant
    place: Place
    child: Child

    @property
    def base_url(self) -> str:
        """Where it listens, without a trailing slash."""
        return f"http://127.0.0.1:{self.place.port}"


def start(
    supervisor: Supervisor, variant: Variant, place: Place, log: Path, extra: Mapping[str, str] | None = None
) -> Server:
    """Start a variant's server without waiting for it; `extra` goes beneath the variant's environment."""
    child = supervisor.start(
        f"the server of {variant.label}",
        placeholders.command(variant.argv, variant, place),
        log=log,
        cwd=variant.directory,
        env=placeholders.environment(variant, place, extra=extra),
        stop_signal=signal.SIGINT,  # as Ctrl-C: servers need not wait for connections kept alive
    )
    return Server(variant, place, child)


def await_healthy(server: Server, token: str, *, started: float, needed: Sequence[Child] = ()) -> None:
    """Wait until the health path returns 200; raises TargetError with the log's tail.

    Args:
        server: what to wait for.
        token: the run's, to tell its processes from a stranger on the same port.
        started: `time.monotonic()` of the start, from which the timeout counts.
        needed: services without which it cannot become healthy.
    """
    variant = server.variant
    deadline = started + variant.start_timeout_s
    seen = "no connection"
    while time.monotonic() < deadline:
        if not server.child.alive():
            raise _failure(server, f"{server.child.name} {server.child.ending()} before it was healthy")
        _require(needed, server)
        anything = variant.health_path == ANY_ANSWER
        seen = _poll(server.place.port, variant.asked_path)
        if seen == "status 200" or (anything and seen.startswith("status ")):
            _refuse_stranger(server, token)
            return
        time.sleep(POLL_S)
    raise _failure(
        server,
        f"{server.child.name} was not healthy within {variant.start_timeout_s:g} s",
        f"last answer of {variant.health_path}: {seen}",
    )


def _require(needed: Sequence[Child], server: Server) -> None:
    """Raise TargetError where a service has gone: the server waits for it in vain."""
    for child in needed:
        if not child.alive():
            raise TargetError(
                f"{child.name} {child.ending()} while {server.child.name} started",
                cause=child.log_tail() or "it wrote nothing",
                remedy="see its log for why",
            )


def _poll(port: int, path: str) -> str:
    """Ask once; return `status N`, or why there was none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=POLL_TIMEOUT_S)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        return f"status {connection.getresponse().status}"
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()


def _refuse_stranger(server: Server, token: str) -> None:
    """Raise TargetError when another program answers on the server's port.

    A program that writes over its environment, as nginx does, is known by whose child it is.
    """
    sockets = listening_inodes(server.place.port)
    if sockets and not sockets & socket_inodes({*find_processes(token), *tree(server.child.pid)}):
        raise _failure(
            server,
            f"port {server.place.port}, given to {server.child.name}, is answered by another program",
            remedy="try again; ports are chosen anew",
        )


def _failure(server: Server, problem: str, detail: str = "", remedy: str = "") -> TargetError:
    tail = server.child.log_tail()
    cause = "\n".join(part for part in (detail, tail or "it wrote nothing") if part)
    return TargetError(
        problem,
        cause=cause,
        remedy=remedy
        or f"it must listen on 127.0.0.1 at the port given by {{port}}: check its command "
        f"(`{' '.join(clean_words(server.variant.argv))}`, in {server.variant.directory}) and health path",
    )


def listening_inodes(port: int) -> set[str]:
    """Return the inodes of sockets that listen on a TCP port."""
    inodes: set[str] = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            rows = (line.split() for line in Path(table).read_text().splitlines()[1:])
            inodes |= {row[9] for row in rows if row[3] == _LISTEN and row[1].endswith(f":{port:04X}")}
    return inodes


def socket_inodes(pids: Iterable[int]) -> set[str]:
    """Return the inodes of all sockets that processes hold open."""
    inodes: set[str] = set()
    for pid in pids:
        with suppress(OSError):
            for entry in os.scandir(f"/proc/{pid}/fd"):
                with suppress(OSError):
                    link = os.readlink(entry.path)  # noqa: PTH115 - thousands of these; strings suffice
                    if link.startswith("socket:["):
                        inodes.add(link[8:-1])
    return inodes
