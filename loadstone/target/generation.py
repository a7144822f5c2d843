"""One generation as the lanes see it: variants that run, what they use, whether they still live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from loadstone.config.model import Variant
from loadstone.errors import TargetError
from loadstone.target import cpu
from loadstone.target.children import Child
from loadstone.target.cpu import CpuReading
from loadstone.target.servers import Server
from loadstone.target.slots import Database, RedisDatabase


class Running(Protocol):
    """One variant in its slot, healthy, during a generation: started for it, or running by itself."""

    @property
    def slot(self) -> int:
        """Where it runs, counted from 0."""

    @property
    def variant(self) -> Variant:
        """What runs."""

    @property
    def called(self) -> str:
        """What messages call its server."""

    @property
    def base_url(self) -> str:
        """Where the server listens, without a trailing slash."""

    @property
    def database(self) -> Database | None:
        """Its database; None where it has none, or none that is known."""

    @property
    def redis(self) -> RedisDatabase | None:
        """Its Redis, likewise."""

    @property
    def database_url(self) -> str:
        """The slot's database itself, whatever the server was told; empty without one."""

    @property
    def redis_url(self) -> str:
        """The slot's Redis itself, likewise."""

    def cpu(self) -> CpuReading:
        """Return CPU seconds so far; what is not ours to read is None."""

    def roots(self) -> list[int]:
        """Return the processes whose trees do the variant's work; empty where some is not ours."""

    def restless(self) -> list[int]:
        """Return the processes that may go on after an answer: none without companions, else all of ours."""

    def memory_bytes(self) -> int:
        """Return the memory of server and companions (PSS), 0 where it is not ours to read."""

    def pids(self) -> list[int]:
        """Return the server's processes, the one started first."""

    def workers(self) -> list[int]:
        """Return the server's processes whose end would be noticed by nothing else."""

    def log_tail(self, lines: int = 20) -> str:
        """Return the last lines that the server wrote, as far as they are ours to read."""

    def alive(self) -> bool:
        """Tell whether all that was started for it still runs."""

    def children(self) -> list[Child]:
        """Return the processes that were started for it, the services first."""

    def own(self) -> list[Child]:
        """Return those of them that run the variant's own code."""


@dataclass(frozen=True, slots=True)
class Started:
    """A variant that was started, in its slot."""

    slot: int
    server: Server
    database: Database | None
    redis: RedisDatabase | None
    companions: tuple[Child, ...] = ()

    @property
    def variant(self) -> Variant:
        """What runs."""
        return self.server.variant

    @property
    def called(self) -> str:
        """What messages call its server."""
        return self.server.child.name

    @property
    def base_url(self) -> str:
        """Where the server listens, without a trailing slash."""
        return self.server.base_url

    @property
    def database_url(self) -> str:
        """The slot's database itself, whatever the server was told."""
        return self.database.url if self.database else ""

    @property
    def redis_url(self) -> str:
        """The slot's Redis itself, whatever the server was told."""
        return self.redis.url if self.redis else ""

    def cpu(self) -> CpuReading:
        """Return CPU seconds so far: server, database, cache and companions, children included.

        A service that the variant does not have has used none; one that is not ours is None.
        """
        return CpuReading(
            cpu.tree_seconds(self.server.child.pid),
            _seconds(self.database),
            _seconds(self.redis),
            sum((cpu.tree_seconds(child.pid) for child in self.companions), 0.0),
        )

    def roots(self) -> list[int]:
        """Return the processes whose trees do the variant's work; empty where some is not ours."""
        services = [each for each in (self.database, self.redis) if each]
        if any(each.child is None for each in services):
            return []
        return [child.pid for child in self.children()]

    def restless(self) -> list[int]:
        """Return the processes that may go on after an answer: none without companions, else all of ours."""
        return [child.pid for child in self.children()] if self.companions else []

    def memory_bytes(self) -> int:
        """Return the memory of server and companions (PSS); takes milliseconds, so not while measuring."""
        return sum(cpu.tree_memory_bytes(child.pid) for child in (self.server.child, *self.companions))

    def pids(self) -> list[int]:
        """Return the server's processes, the one started first."""
        return cpu.tree(self.server.child.pid)

    def workers(self) -> list[int]:
        """Return what the server forked."""
        return cpu.forked_workers(self.server.child.pid)

    def log_tail(self, lines: int = 20) -> str:
        """Return the last lines that the server wrote."""
        return self.server.child.log_tail(lines)

    def alive(self) -> bool:
        """Tell whether the server and its services still run."""
        return all(child.alive() for child in self.children())

    def children(self) -> list[Child]:
        """Return the processes that were started for it, the services first."""
        return [*self.services(), *self.own()]

    def services(self) -> list[Child]:
        """Return the processes of database and cache, where they are ours."""
        return [each.child for each in (self.database, self.redis) if each and each.child]

    def own(self) -> list[Child]:
        """Return the processes that run the variant's own code."""
        return [self.server.child, *self.companions]


def _seconds(service: Database | RedisDatabase | None) -> float | None:
    if service is None:
        return 0.0
    return cpu.tree_seconds(service.child.pid) if service.child else None


class Generation(Sequence[Running]):
    """All variants of one generation, in start order; also by the variant's name."""

    def __init__(self, running: Sequence[Running]) -> None:
        self._running = list(running)
        self._workers: list[list[int]] = [[] for _ in self._running]
        self.settle()

    def __getitem__(self, key: int | str | slice) -> Running:  # type: ignore[override]  # no slices
        if isinstance(key, str):
            return next(each for each in self._running if each.variant.name == key)
        if isinstance(key, slice):
            raise TypeError("a generation has no slices")
        return self._running[key]

    def __len__(self) -> int:
        return len(self._running)

    def settle(self) -> None:
        """Note the servers' workers, right before they are measured: `check` misses those that end."""
        for each, workers in zip(self._running, self._workers, strict=True):
            workers += [pid for pid in each.workers() if pid not in workers]

    def check(self) -> None:
        """Raise TargetError when any process of the generation has gone, the deepest cause first.

        A server that replaces a worker goes on, with another process: that is noticed too.
        """
        for each in self._running:
            for child in each.children():
                if not child.alive():
                    raise TargetError(
                        f"{child.name} {child.ending()} while it was measured",
                        cause=child.log_tail() or "it wrote nothing",
                        remedy="what was measured in this generation is not used; see its log for why",
                    )
        for each, workers in zip(self._running, self._workers, strict=True):
            gone = [pid for pid in workers if not cpu.is_running(pid)]
            if gone:
                told = f"process {gone[0]} has ended; what replaces it starts cold"
                raise TargetError(
                    f"{each.called} lost a process while it was measured",
                    cause=f"{told}\n{each.log_tail()}".rstrip(),
                    remedy="see its log for why; a server that replaces or retires workers by itself "
                    "cannot be measured: keep their number fixed, without max-requests",
                )
