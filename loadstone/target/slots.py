"""Slots: where variants run, each with a PostgreSQL and a Redis of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from loadstone.config.model import Variant
from loadstone.errors import TargetError
from loadstone.target import folders
from loadstone.target.folders import State
from loadstone.target.ports import Ports
from loadstone.target.postgres import Cluster, Postgres
from loadstone.target.processes import Child, Supervisor
from loadstone.target.recipes import Progress, Template, Templates, template_key
from loadstone.target.redis import Cache, Redis


@dataclass(frozen=True, slots=True)
class Backing:
    """The services of one slot during one generation; empty URLs where the variant needs none."""

    slot: int
    database_url: str
    redis_url: str
    cluster: Cluster | None = None
    cache: Cache | None = None

    @property
    def database(self) -> Child | None:
        """The database's process; None: not ours."""
        return self.cluster.child if self.cluster else None

    @property
    def redis(self) -> Child | None:
        """The process of Redis; None: not ours."""
        return self.cache.child if self.cache else None


class Services(Protocol):
    """Where databases and caches of slots come from: embedded, or external servers."""

    def prepare(self, variant: Variant, progress: Progress) -> Template | None:
        """Make sure that the data of a variant's recipe can be copied."""

    def fill(self, slot: int, variant: Variant, *, refill: bool) -> None:
        """Give a slot the data of a variant's recipe; `refill`: anew if it has them already."""

    def start(self, slot: int, variant: Variant, logs: Path) -> Backing:
        """Start a slot's services for a variant, without waiting."""

    def await_ready(self, backing: Backing) -> Backing:
        """Return a backing whose services answer."""

    def stop(self, backings: Sequence[Backing]) -> None:
        """Stop the services of slots."""

    def close(self) -> None:
        """Let go of everything held for the run."""


class Embedded:
    """Services from wheels: a fresh PostgreSQL and Redis for each slot in each generation.

    A slot keeps one data folder for each recipe that was in it, a copy of the
    template file by file, so that layout and statistics are the template's.
    """

    def __init__(self, state: State, supervisor: Supervisor, ports: Ports, *, durable: bool = False) -> None:
        self._state = state
        self._home = state.slots / supervisor.token
        self._postgres = Postgres(state, supervisor, ports, durable=durable)
        self._redis = Redis(state, supervisor, ports)
        self._templates = Templates(state, supervisor, ports, self._postgres, self._redis)

    def prepare(self, variant: Variant, progress: Progress) -> Template | None:
        """Build the template of a variant's recipe, unless there is one."""
        return self._templates.ensure(variant, progress) if variant.needs_postgres else None

    def fill(self, slot: int, variant: Variant, *, refill: bool) -> None:
        """Copy the template's data folder into the slot."""
        if not variant.needs_postgres:
            return
        data = self._data(slot, variant)
        if refill:
            folders.remove(data)
        if not data.exists():
            template = self._templates.get(variant.recipe)
            try:
                folders.copy_folder(template.data, data, self._state.account)
            except OSError as error:
                folders.remove(data)
                raise TargetError(
                    f"slot {slot} could not be filled with the data of {variant.label}",
                    cause=str(error),
                    remedy=f"make room in {self._state.root}: {template.manifest.size_bytes >> 20} MB a copy",
                ) from error

    def start(self, slot: int, variant: Variant, logs: Path) -> Backing:
        """Start a slot's PostgreSQL and Redis."""
        cluster = cache = None
        whose = f"of slot {slot} ({variant.label})"
        if variant.needs_postgres:
            cluster = self._postgres.start(
                self._data(slot, variant), logs / "postgres.log", name=f"the PostgreSQL {whose}"
            )
        if variant.needs_redis:
            home = folders.private_folder(self._folder(slot) / "redis", self._state.account)
            cache = self._redis.start(home, logs / "redis.log", name=f"the Redis {whose}")
        return _backing(slot, cluster, cache)

    def await_ready(self, backing: Backing) -> Backing:
        """Wait until both take connections."""
        cluster, cache = backing.cluster, backing.cache
        return _backing(
            backing.slot,
            self._postgres.await_ready(cluster) if cluster else None,
            self._redis.await_ready(cache) if cache else None,
        )

    def stop(self, backings: Sequence[Backing]) -> None:
        """Stop the services of slots, all at once."""
        self._redis.stop(*(each.cache for each in backings if each.cache))
        self._postgres.stop(*(each.cluster for each in backings if each.cluster))

    def close(self) -> None:
        """Let go of the templates."""
        self._templates.close()

    def _folder(self, slot: int) -> Path:
        return folders.passable_folder(self._home / f"slot-{slot}")

    def _data(self, slot: int, variant: Variant) -> Path:
        return self._folder(slot) / f"data-{template_key(variant.recipe)}"


def _backing(slot: int, cluster: Cluster | None, cache: Cache | None) -> Backing:
    return Backing(slot, cluster.url if cluster else "", cache.url if cache else "", cluster, cache)


def with_urls(backing: Backing, database_url: str, redis_url: str) -> Backing:
    """Return a backing that is reached by other URLs."""
    return replace(backing, database_url=database_url, redis_url=redis_url)
