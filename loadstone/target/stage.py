"""The stage: everything a run starts, from templates to healthy servers.

with Stage(project / ".loadstone") as stage:
    stage.prepare([before, after])
    with stage.generation([(before, 0), (after, 1)]) as running:
        running["after"].base_url
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from loadstone.config.model import Variant
from loadstone.errors import TargetError
from loadstone.target import clean, companions, deployments, folders, hosts, neighbours, servers
from loadstone.target.children import Child
from loadstone.target.external import ExternalDatabases
from loadstone.target.external_redis import ExternalCaches
from loadstone.target.folders import State
from loadstone.target.generation import Generation, Running, Started
from loadstone.target.placeholders import Place
from loadstone.target.ports import Ports, is_free
from loadstone.target.postgres import Postgres
from loadstone.target.preparation import Kitchen, Progress, silent
from loadstone.target.processes import Supervisor
from loadstone.target.recipes import Template, Templates
from loadstone.target.redis import Redis
from loadstone.target.servers import Server
from loadstone.target.slots import (
    Caches,
    Database,
    Databases,
    EmbeddedCaches,
    EmbeddedDatabases,
    RedisDatabase,
)
from loadstone.target.urls import password_of

__all__ = ["Generation", "Rewire", "Running", "Stage"]

Rewire = Callable[[int, str, str], tuple[str, str]]
"""(slot, database URL, Redis URL) -> the URLs that the server gets in their place."""
SERVER_GRACE_S = 3.0
MAX_RESIDENT = 4
"""At most four variants are resident at once in a generation; each track has slots of its own."""
MAX_SLOTS = 8


class Stage:
    """Starts generations of variants and leaves nothing behind.

    Args:
        state: folder for templates and slots, usually `.loadstone` in the project.
        slots: how many variants run at once.
        supervisor: owns the processes; None: one of our own, closed at exit.
        database_url: an external PostgreSQL; None: embedded.
        redis_url: an external Redis; None: embedded.
        allowed_hosts: hosts other than this machine that the URLs may name.
        durable: let the embedded PostgreSQL flush to disk on commit.
        listen: what `{host}` stands for: the address on which servers listen.
    """

    def __init__(
        self,
        state: Path,
        *,
        slots: int = 2,
        supervisor: Supervisor | None = None,
        database_url: str | None = None,
        redis_url: str | None = None,
        allowed_hosts: Collection[str] = (),
        durable: bool = False,
        listen: str = "127.0.0.1",
    ) -> None:
        if not 1 <= slots <= MAX_SLOTS:
            raise TargetError(f"{slots} slots cannot be had", remedy=f"use 1 to {MAX_SLOTS}")
        if database_url:
            hosts.require_allowed(hosts.postgres_hosts(database_url), allowed_hosts, "--database-url")
        if redis_url:
            hosts.require_allowed(hosts.redis_hosts(redis_url), allowed_hosts, "--redis-url")
        self.state = State.open(state)
        self.slots = slots
        self.most_others = 0
        """Most other runs that were seen on this machine at once."""
        self._listen = listen
        self._generations = itertools.count(1)
        self._exits = ExitStack()
        self._exits.callback(clean.remove_husk, self.state)
        try:
            self.supervisor = supervisor or self._exits.enter_context(Supervisor())
            self.home = self._exits.enter_context(clean.run_folder(self.state, self.token))
            self.supervisor.remove_at_end(self.home)
            seen = self._exits.enter_context(neighbours.presence(self.token, state.absolute().parent))
            self.supervisor.remove_at_end(seen)
            neighbours.require_alone(self.other_runs())
            self._ports = Ports()
            self._exits.callback(self._ports.close)
            self._caches = self._open_caches(redis_url)
            self._exits.callback(self._caches.close)
            self._databases = self._open_databases(database_url, durable)
            self._exits.callback(self._databases.close)
        except BaseException:
            self._exits.close()
            raise

    def _open_caches(self, url: str | None) -> Caches:
        if url:
            self.supervisor.conceal(password_of(url))
            return ExternalCaches(url, token=self.token)
        return EmbeddedCaches(self.state, self.home, Redis(self.state, self.supervisor, self._ports))

    def _open_databases(self, url: str | None, durable: bool) -> Databases:
        kitchen = Kitchen(self.supervisor, self._ports, self._caches)
        if url:
            self.supervisor.conceal(password_of(url))
            return ExternalDatabases(url, token=self.token, home=self.home, kitchen=kitchen)
        postgres = Postgres(self.state, self.supervisor, self._ports, durable=durable)
        templates = Templates(self.state, self.supervisor, postgres, kitchen)
        return EmbeddedDatabases(self.state, self.home, postgres, templates)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def token(self) -> str:
        """The run's token, which every process carries."""
        return self.supervisor.token

    def close(self) -> None:
        """Stop what runs and remove the run's folders; the second time, do nothing."""
        self._exits.close()

    def other_runs(self) -> list[str]:
        """Return where other living runs of this machine go on, which disturb this one's timing."""
        others = neighbours.neighbours(self.token)
        self.most_others = max(self.most_others, len(others))
        return others

    def warn_of_others(self, tell: Progress) -> None:
        """Tell whether other runs go on, where some do."""
        if others := self.other_runs():
            tell(neighbours.warning_of(others), None)

    def prepare(self, variants: Sequence[Variant], progress: Progress = silent) -> dict[str, Template | None]:
        """Build the templates that the variants need; returns them by the variant's name.

        None stands for a variant without a database, or one on an external server.
        """
        return {
            each.name: self._databases.prepare(each, progress) if each.needs_postgres else None
            for each in variants
        }

    @contextmanager
    def generation(
        self,
        cast: Sequence[tuple[Variant, int]],
        *,
        refill: bool = False,
        rewire: Rewire | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> Iterator[Generation]:
        """Start variants afresh, yield them healthy, stop them; deployments are looked up and left alone.

        Args:
            cast: (variant, slot) in start order; each slot once.
            refill: give the slots unchanged data, for scenarios that write.
            rewire: replaces the URLs that servers get, to put a tap between.
            extra: environment of all servers, beneath what a variant sets itself.

        Raises:
            TargetError: something did not come up; the cause has its log's tail.
        """
        self._check_cast(cast)
        if any(variant.url for variant, _ in cast):
            yield Generation([deployments.find(variant, slot) for variant, slot in cast])
            return
        folder = folders.passable_folder(self.home / f"generation-{next(self._generations)}")
        for variant, slot in cast:
            if variant.needs_postgres:
                self._databases.fill(slot, variant, refill=refill)
        with ExitStack() as stack:
            stack.callback(folders.remove, folder)
            parts = [_Part(variant, slot, folder / f"slot-{slot}") for variant, slot in cast]
            self._start_services(parts, stack)
            for each in parts:
                each.extra = extra or {}
            self._start_servers(parts, rewire, stack)
            yield Generation([each.running() for each in parts])

    def _check_cast(self, cast: Sequence[tuple[Variant, int]]) -> None:
        slots = [slot for _, slot in cast]
        known = set(slots) <= set(range(self.slots))
        if not 1 <= len(cast) <= MAX_RESIDENT or len(set(slots)) != len(slots) or not known:
            raise TargetError(
                f"variants cannot be put into slots {slots}",
                cause=f"there are {self.slots} slots, and each takes one variant",
                remedy="open the stage with more slots",
            )

    def _start_services(self, parts: Sequence[_Part], stack: ExitStack) -> None:
        stack.callback(lambda: self._databases.stop([each.database for each in parts if each.database]))
        stack.callback(lambda: self._caches.stop([each.redis for each in parts if each.redis]))
        for part in parts:
            folders.private_folder(part.folder)
            if part.variant.needs_postgres:
                part.database = self._databases.start(part.slot, part.variant, part.folder)
            if part.variant.needs_redis:
                part.redis = self._caches.start(part.slot, part.variant, part.folder)
        for part in parts:
            if part.database:
                part.database = self._databases.await_ready(part.database)
            if part.redis:
                part.redis = self._caches.await_ready(part.redis)

    def _start_servers(self, parts: Sequence[_Part], rewire: Rewire | None, stack: ExitStack) -> None:
        stack.callback(
            lambda: self._stop_servers(
                [each.server for each in parts if each.server],
                [one for each in parts for one in each.companions],
            )
        )
        started = time.monotonic()
        for part in parts:
            urls = part.own_urls
            part.urls = rewire(part.slot, *urls) if rewire else urls
            part.server = self._launch(part)
            self._launch_companions(part, part.server.place)
        for part in parts:
            self._await_healthy(part, started)
            companions.await_ready(part.companions, part.variant, started=started)

    def _launch_companions(self, part: _Part, place: Place) -> None:
        database_url, redis_url = part.own_urls
        place = replace(place, database_url=database_url, redis_url=redis_url)
        part.companions += companions.start(self.supervisor, part.variant, place, part.folder, part.extra)

    def _await_healthy(self, part: _Part, started: float) -> None:
        server, needed = part.running().server, part.running().services()
        try:
            servers.await_healthy(server, self.token, started=started, needed=needed)
        except TargetError:
            if server.child.alive() or is_free(server.place.port):
                raise
            self._stop_servers([server])  # its port was snatched between choice and use: once more
            part.server = self._launch(part)
            servers.await_healthy(part.server, self.token, started=time.monotonic(), needed=needed)

    def _launch(self, part: _Part) -> Server:
        home = part.folder / "server"
        folders.remove(home)
        scratch = folders.private_folder(home)
        place = Place(self._ports.take(), *part.urls, scratch, host=self._listen)
        return servers.start(self.supervisor, part.variant, place, part.folder / "server.log", part.extra)

    def _stop_servers(self, stopped: Sequence[Server], beside: Sequence[Child] = ()) -> None:
        """Stop servers; companions are asked to end as well, and have as long as the servers take."""
        for child in beside:
            if child.alive():
                child.signal(child.stop_signal)
        self.supervisor.stop(*(server.child for server in stopped), grace_s=SERVER_GRACE_S)
        self.supervisor.stop(*beside, grace_s=0.0)
        for server in stopped:
            self._ports.give_back(server.place.port)


@dataclass(slots=True)
class _Part:
    """A variant on its way up."""

    variant: Variant
    slot: int
    folder: Path
    database: Database | None = None
    redis: RedisDatabase | None = None
    urls: tuple[str, str] = ("", "")
    extra: Mapping[str, str] = field(default_factory=dict)
    server: Server | None = None
    companions: list[Child] = field(default_factory=list)

    @property
    def own_urls(self) -> tuple[str, str]:
        """The services' own URLs, empty for those that the variant does not have."""
        return self.database.url if self.database else "", self.redis.url if self.redis else ""

    def running(self) -> Started:
        if self.server is None:
            raise AssertionError(f"the server of {self.variant.name} was not started")
        return Started(self.slot, self.server, self.database, self.redis, tuple(self.companions))
