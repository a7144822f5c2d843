"""The stage: everything a run starts, from templates to healthy servers.

with Stage(project / ".loadstone") as stage:
    stage.prepare([before, after])
    with stage.generation([(before, 0), (after, 1)]) as running:
        running["after"].base_url
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from loadstone.config.model import Variant
from loadstone.errors import TargetError
from loadstone.target import cpu, folders, servers
from loadstone.target.cpu import CpuReading
from loadstone.target.folders import State
from loadstone.target.placeholders import Place
from loadstone.target.ports import Ports, is_free
from loadstone.target.processes import Child, Supervisor
from loadstone.target.recipes import Progress, Template, silent
from loadstone.target.servers import Server
from loadstone.target.slots import Backing, Embedded, Services

Rewire = Callable[[int, str, str], tuple[str, str]]
"""(slot, database URL, Redis URL) -> the URLs that the server gets in their place."""
SERVER_GRACE_S = 5.0
MAX_SLOTS = 4
"""At most four variants are resident at once."""


@dataclass(frozen=True, slots=True)
class Running:
    """One variant in its slot, healthy, during a generation."""

    server: Server
    backing: Backing

    @property
    def variant(self) -> Variant:
        """What runs."""
        return self.server.variant

    @property
    def slot(self) -> int:
        """Where it runs."""
        return self.backing.slot

    @property
    def base_url(self) -> str:
        """Where the server listens, without a trailing slash."""
        return self.server.base_url

    @property
    def database_url(self) -> str:
        """The slot's database itself, whatever the server was told."""
        return self.backing.database_url

    @property
    def redis_url(self) -> str:
        """The slot's Redis itself, whatever the server was told."""
        return self.backing.redis_url

    def cpu(self) -> CpuReading:
        """Return CPU seconds so far: server, database and cache processes, children included."""
        database, redis = self.backing.database, self.backing.redis
        return CpuReading(
            cpu.tree_seconds(self.server.child.pid),
            cpu.tree_seconds(database.pid) if database else None,
            cpu.tree_seconds(redis.pid) if redis else None,
        )

    def memory_bytes(self) -> int:
        """Return the memory of the server's processes (PSS); takes milliseconds, so not while measuring."""
        return cpu.tree_memory_bytes(self.server.child.pid)

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
        services = (self.backing.database, self.backing.redis)
        return [*(child for child in services if child is not None), self.server.child]


class Generation(Sequence[Running]):
    """All variants of one generation, in start order; also by the variant's name."""

    def __init__(self, running: Sequence[Running]) -> None:
        self._running = list(running)

    def __getitem__(self, key: int | str | slice) -> Running:  # type: ignore[override]  # no slices
        if isinstance(key, str):
            return next(each for each in self._running if each.variant.name == key)
        if isinstance(key, slice):
            raise TypeError("a generation has no slices")
        return self._running[key]

    def __len__(self) -> int:
        return len(self._running)

    def check(self) -> None:
        """Raise TargetError when any process of the generation has gone, the deepest cause first."""
        for each in self._running:
            for child in each.children():
                if not child.alive():
                    raise TargetError(
                        f"{child.name} {child.ending()} while it was measured",
                        cause=child.log_tail() or "it wrote nothing",
                        remedy="what was measured in this generation is not used; see its log for why",
                    )


class Stage:
    """Starts generations of variants and leaves nothing behind.

    Args:
        state: folder for templates and slots, usually `.loadstone` in the project.
        slots: how many variants run at once.
        supervisor: owns the processes; None: one of our own, closed at exit.
        services: where databases come from; None: embedded.
        durable: let the embedded PostgreSQL flush to disk on commit.
    """

    def __init__(
        self,
        state: Path,
        *,
        slots: int = 2,
        supervisor: Supervisor | None = None,
        services: Callable[[State, Supervisor, Ports], Services] | None = None,
        durable: bool = False,
    ) -> None:
        if not 1 <= slots <= MAX_SLOTS:
            raise TargetError(f"{slots} slots cannot be had", remedy=f"use 1 to {MAX_SLOTS}")
        self.state = State.open(state)
        self.slots = slots
        self._exits = ExitStack()
        try:
            self.supervisor = supervisor or self._exits.enter_context(Supervisor())
            self.home = folders.passable_folder(self.state.slots / self.supervisor.token)
            self.supervisor.remove_at_end(self.home)
            self._exits.enter_context(folders.locked(self.home / "lock"))
            self._ports = Ports()
            self._exits.callback(self._ports.close)
            self._services = (
                services(self.state, self.supervisor, self._ports)
                if services
                else Embedded(self.state, self.supervisor, self._ports, durable=durable)
            )
            self._exits.callback(self._services.close)
        except BaseException:
            self._exits.close()
            raise
        self._generations = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def token(self) -> str:
        """The run's token, which every process carries."""
        return self.supervisor.token

    def close(self) -> None:
        """Stop what runs and remove the run's folders."""
        self._exits.close()

    def prepare(self, variants: Sequence[Variant], progress: Progress = silent) -> dict[str, Template | None]:
        """Build the templates that the variants need; returns them by the variant's name."""
        return {each.name: self._services.prepare(each, progress) for each in variants}

    @contextmanager
    def generation(
        self,
        cast: Sequence[tuple[Variant, int]],
        *,
        refill: bool = False,
        rewire: Rewire | None = None,
    ) -> Iterator[Generation]:
        """Start variants afresh, yield them healthy, stop them.

        Args:
            cast: (variant, slot) in start order; each slot once.
            refill: give the slots unchanged data, for scenarios that write.
            rewire: replaces the URLs that servers get, to put a tap between.

        Raises:
            TargetError: something did not come up; the cause has its log's tail.
        """
        self._check_cast(cast)
        self._generations += 1
        folder = folders.passable_folder(self.home / f"generation-{self._generations}")
        for variant, slot in cast:
            self._services.prepare(variant, silent)
            self._services.fill(slot, variant, refill=refill)
        with ExitStack() as stack:
            stack.callback(folders.remove, folder)
            backings = self._start_services(cast, folder, stack)
            launched = self._start_servers(cast, backings, folder, rewire, stack)
            yield Generation([Running(server, backing) for server, backing in launched])

    def _check_cast(self, cast: Sequence[tuple[Variant, int]]) -> None:
        slots = [slot for _, slot in cast]
        if not cast or len(set(slots)) != len(slots) or not set(slots) <= set(range(self.slots)):
            raise TargetError(
                f"variants cannot be put into slots {slots}",
                cause=f"there are {self.slots} slots, and each takes one variant",
                remedy="open the stage with more slots",
            )

    def _start_services(
        self, cast: Sequence[tuple[Variant, int]], folder: Path, stack: ExitStack
    ) -> list[Backing]:
        backings: list[Backing] = []
        stack.callback(lambda: self._services.stop(backings))
        for variant, slot in cast:
            logs = folders.private_folder(folder / f"slot-{slot}")
            backings.append(self._services.start(slot, variant, logs))
        for number, backing in enumerate(backings):
            backings[number] = self._services.await_ready(backing)
        return backings

    def _start_servers(
        self,
        cast: Sequence[tuple[Variant, int]],
        backings: Sequence[Backing],
        folder: Path,
        rewire: Rewire | None,
        stack: ExitStack,
    ) -> list[tuple[Server, Backing]]:
        launched: list[tuple[Server, Backing]] = []
        stack.callback(lambda: self._stop_servers([server for server, _ in launched]))
        started = time.monotonic()
        for (variant, slot), backing in zip(cast, backings, strict=True):
            urls = backing.database_url, backing.redis_url
            urls = rewire(slot, *urls) if rewire else urls
            home = folders.private_folder(folder / f"slot-{slot}" / "server")
            launched.append((self._launch(variant, urls, home), backing))
        for number, (server, backing) in enumerate(launched):
            try:
                servers.await_healthy(server, self.token, started=started)
            except TargetError:
                if server.child.alive() or is_free(server.place.port):
                    raise
                again = self._relaunch(server)  # its port was snatched between choice and use
                launched[number] = (again, backing)
                servers.await_healthy(again, self.token, started=time.monotonic())
        return launched

    def _launch(self, variant: Variant, urls: tuple[str, str], home: Path) -> Server:
        place = Place(self._ports.take(), *urls, home)
        return servers.start(self.supervisor, variant, place, home.parent / "server.log")

    def _relaunch(self, server: Server) -> Server:
        self._stop_servers([server])
        place = server.place
        folders.remove(place.folder)
        home = folders.private_folder(place.folder)
        return self._launch(server.variant, (place.database_url, place.redis_url), home)

    def _stop_servers(self, stopped: Sequence[Server]) -> None:
        self.supervisor.stop(*(server.child for server in stopped), grace_s=SERVER_GRACE_S)
        for server in stopped:
            self._ports.give_back(server.place.port)
