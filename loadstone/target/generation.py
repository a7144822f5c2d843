"""One generation as the lanes see it: variants that run, what they use, whether they still live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from loadstone.config.model import Variant
from loadstone.errors import TargetError
from loadstone.target import cpu
from loadstone.target.children import Child
from loadstone.target.cpu import CpuReading
from loadstone.target.servers import Server
from loadstone.target.slots import Database, RedisDatabase


@dataclass(frozen=True, slots=True)
class Running:
    """One variant in its slot, healthy, during a generation."""

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

    def log_tail(self, lines: int = 20) -> str:
        """Return the last lines that the server wrote."""
        return self.server.child.log_tail(lines)

    def alive(self) -> bool:
        """Tell whether the server and its services still run."""
        return all(child.alive() for child in self.children())

    def children(self) -> list[Child]:
        """Return the processes that were started for it, the services first."""
        services = [each.child for each in (self.database, self.redis) if each and each.child]
        return [*services, self.server.child, *self.companions]


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
            workers += [pid for pid in cpu.forked_workers(each.server.child.pid) if pid not in workers]

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
                    f"{each.server.child.name} lost a process while it was measured",
                    cause=f"{told}\n{each.log_tail()}".rstrip(),
                    remedy="see its log for why; a server that replaces or retires workers by itself "
                    "cannot be measured: keep their number fixed, without max-requests",
                )
