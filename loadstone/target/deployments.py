"""Deployments: servers that ran before the run, and go on after it. They are found, read and left alone."""

from __future__ import annotations

import http.client
import os
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from loadstone.config.model import ANY_ANSWER, Experiment, Variant
from loadstone.errors import TargetError
from loadstone.target import cpu
from loadstone.target.children import Child
from loadstone.target.cpu import CpuReading
from loadstone.target.servers import listening_inodes, socket_inodes
from loadstone.target.slots import Database, RedisDatabase
from loadstone.target.urls import is_loopback

TIMEOUT_S = 10.0
FORWARDERS = frozenset({"docker-proxy", "rootlessport", "kubectl", "socat", "ssh", "sshd"})
"""Programs that pass a port on to a server elsewhere: their CPU is not the server's."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """A variant that runs by itself."""

    slot: int
    variant: Variant
    root: int | None
    """Its server's first process; None where it is not ours to read."""
    database: Database | None = None
    redis: RedisDatabase | None = None
    database_url: str = ""
    redis_url: str = ""

    @property
    def called(self) -> str:
        """What messages call its server."""
        return f"the server at {self.variant.url}"

    @property
    def base_url(self) -> str:
        """Where it listens, without a trailing slash."""
        return self.variant.url

    def cpu(self) -> CpuReading:
        """Return the server's CPU seconds so far, where it runs here; its services' are not known."""
        return CpuReading(None if self.root is None else cpu.tree_seconds(self.root), None, None)

    def roots(self) -> list[int]:
        """Return nothing: some of what does its work is not ours."""
        return []

    def restless(self) -> list[int]:
        """Return nothing: what it does after an answer shows in its timing alone."""
        return []

    def memory_bytes(self) -> int:
        """Return the server's memory (PSS), 0 where it is not ours to read."""
        return 0 if self.root is None else cpu.tree_memory_bytes(self.root)

    def pids(self) -> list[int]:
        """Return the server's processes, as far as they are known."""
        return [] if self.root is None else cpu.tree(self.root)

    def workers(self) -> list[int]:
        """Return the server's first process and what it forked."""
        return [] if self.root is None else [self.root, *cpu.forked_workers(self.root)]

    def log_tail(self, lines: int = 20) -> str:
        """Return nothing: its log is not ours."""
        del lines
        return ""

    def alive(self) -> bool:
        """Tell whether its process still runs, where that can be seen."""
        return self.root is None or cpu.is_running(self.root)

    def children(self) -> list[Child]:
        """Return nothing: it was not started."""
        return []

    def own(self) -> list[Child]:
        """Return nothing: it was not started."""
        return []


def find(variant: Variant, slot: int) -> Deployed:
    """Return a deployment that answers; raises `TargetError` where it does not."""
    require_answer(variant)
    return Deployed(slot, variant, _root(variant.url))


def described(experiment: Experiment) -> Experiment:
    """Return the experiment with what can be seen of its deployments here; others are left as they are."""
    return replace(experiment, variants=tuple(_described(one) for one in experiment.variants))


def require_answer(variant: Variant) -> None:
    """Ask a deployment once; raises `TargetError` where it does not answer as it should."""
    path = variant.asked_path
    seen, good = _ask(variant.url, path)
    if good and (variant.health_path == ANY_ANSWER or seen == http.client.OK):
        return
    raise TargetError(
        f"nothing answers at {variant.url}" if not good else f"{variant.url}{path} answers {seen}",
        cause=str(seen) if not good else "its health path has to answer 200",
        remedy="start the deployment, or name the address at which it runs"
        if not good
        else "see the deployment's log, or name another path as health below [variants]",
    )


def _ask(url: str, path: str) -> tuple[int | str, bool]:
    """Return the status of an answer, or why there was none, and whether there was one."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        return connection.getresponse().status, True
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__, False
    finally:
        connection.close()


def _described(variant: Variant) -> Variant:
    root = _root(variant.url) if variant.url else None
    if root is None:
        return variant
    return replace(variant, provenance={**variant.provenance, "process": f"{_name(root)}, pid {root}"})


def _root(url: str) -> int | None:
    """Return the first process of the server that listens at a loopback URL; None where it is not to be seen.

    Several processes may share the socket, as a pre-fork server's do: the first is the
    one whose parent is none of them.
    """
    parts = urlsplit(url)
    if not is_loopback(parts.hostname or ""):
        return None
    inodes = listening_inodes(parts.port or {"https": 443}.get(parts.scheme, 80))
    holders = {pid for pid in _processes() if inodes & socket_inodes([pid])} if inodes else set()
    first = [pid for pid in holders if _parent(pid) not in holders]
    return first[0] if len(first) == 1 and not _forwards(first) else None


def _forwards(pids: Collection[int]) -> bool:
    return any(_name(pid) in FORWARDERS for pid in pids)


def _processes() -> list[int]:
    return [int(entry.name) for entry in os.scandir("/proc") if entry.name.isdigit()]


def _parent(pid: int) -> int:
    with suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[1])
    return 0


def _name(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text(errors="replace").strip()
    return "a process"
