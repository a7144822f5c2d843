"""Slots: where variants run, each with a PostgreSQL and a Redis of its own.

Databases and caches each come from one of two sources: embedded (here) or an
external server (`external`, `external_redis`). A run may mix them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from loadstone.config.model import Variant
from loadstone.errors import TargetError
from loadstone.target import folders
from loadstone.target.children import Child
from loadstone.target.folders import State
from loadstone.target.postgres import Cluster, Postgres
from loadstone.target.preparation import Progress
from loadstone.target.recipes import Template, Templates, template_key
from loadstone.target.redis import Cache, Redis


@dataclass(frozen=True, slots=True)
class Database:
    """A slot's database during one generation."""

    url: str
    cluster: Cluster | None = None
    """The server, where it is ours."""

    @property
    def child(self) -> Child | None:
        """The server's process, where it is ours."""
        return self.cluster.child if self.cluster else None


@dataclass(frozen=True, slots=True)
class RedisDatabase:
    """A slot's Redis during one generation."""

    url: str
    cache: Cache | None = None
    """The server, where it is ours."""

    @property
    def child(self) -> Child | None:
        """The server's process, where it is ours."""
        return self.cache.child if self.cache else None


class Databases(Protocol):
    """Where the databases of slots come from."""

    def prepare(self, variant: Variant, progress: Progress) -> Template | None:
        """Make sure that the data of a variant's recipe can be copied."""

    def fill(self, slot: int, variant: Variant, *, refill: bool) -> None:
        """Give a slot the data of a variant's recipe; `refill`: anew if it has them already."""

    def start(self, slot: int, variant: Variant, logs: Path) -> Database:
        """Start a slot's database for a variant, without waiting."""

    def await_ready(self, database: Database) -> Database:
        """Return the database once it takes connections."""

    def stop(self, databases: Sequence[Database]) -> None:
        """Stop databases at the end of a generation, all at once."""

    def close(self) -> None:
        """Let go of everything held for the run."""


class Caches(Protocol):
    """Where the Redis databases of slots come from."""

    def start(self, slot: int, variant: Variant, logs: Path) -> RedisDatabase:
        """Start (or empty) a slot's Redis for a variant, without waiting."""

    def await_ready(self, cache: RedisDatabase) -> RedisDatabase:
        """Return the Redis once it answers."""

    def stop(self, caches: Sequence[RedisDatabase]) -> None:
        """Stop them at the end of a generation, all at once."""

    def lend(self, folder: Path) -> Iterator[str]:
        """Yield the URL of an empty Redis for commands that prepare data."""

    def close(self) -> None:
        """Let go of everything held for the run."""


class EmbeddedDatabases:
    """A fresh PostgreSQL for each slot in each generation.

    A slot keeps one data folder for each recipe that was in it, a copy of the
    template file by file, so that layout and statistics are the template's.
    """

    def __init__(self, state: State, home: Path, postgres: Postgres, templates: Templates) -> None:
        self._state = state
        self._home = home
        self._postgres = postgres
        self._templates = templates

    def prepare(self, variant: Variant, progress: Progress) -> Template | None:
        """Build the template of a variant's recipe, unless there is one."""
        return self._templates.ensure(variant, progress)

    def fill(self, slot: int, variant: Variant, *, refill: bool) -> None:
        """Make the slot's data folder equal to the template's."""
        data = self._data(slot, variant)
        if data.exists() and not refill:
            return
        template = self._templates.ensure(variant)
        try:
            folders.mirror_folder(template.data, data, self._state.account)
        except OSError as error:
            folders.remove(data)
            raise TargetError(
                f"slot {slot} could not be filled with the data of {variant.label}",
                cause=str(error),
                remedy=f"make room in {self._state.root}: {template.manifest.size_bytes >> 20} MB a copy",
            ) from error

    def start(self, slot: int, variant: Variant, logs: Path) -> Database:
        """Start the slot's PostgreSQL on the variant's data."""
        name = f"the PostgreSQL of slot {slot} ({variant.label})"
        cluster = self._postgres.start(self._data(slot, variant), logs / "postgres.log", name=name)
        return Database(cluster.url, cluster)

    def await_ready(self, database: Database) -> Database:
        """Wait until it takes connections."""
        if database.cluster is None:
            return database
        cluster = self._postgres.await_ready(database.cluster)
        return Database(cluster.url, cluster)

    def stop(self, databases: Sequence[Database]) -> None:
        """Shut the servers down, all at once."""
        self._postgres.stop(*(each.cluster for each in databases if each.cluster))

    def close(self) -> None:
        """Let go of the templates."""
        self._templates.close()

    def _data(self, slot: int, variant: Variant) -> Path:
        return folders.passable_folder(self._home / f"slot-{slot}") / f"data-{template_key(variant.recipe)}"


class EmbeddedCaches:
    """A fresh, empty Redis for each slot in each generation."""

    def __init__(self, state: State, home: Path, redis: Redis) -> None:
        self._state = state
        self._home = home
        self._redis = redis

    def start(self, slot: int, variant: Variant, logs: Path) -> RedisDatabase:
        """Start the slot's Redis."""
        slot_folder = folders.passable_folder(self._home / f"slot-{slot}")
        home = folders.private_folder(slot_folder / "redis", self._state.account)
        name = f"the Redis of slot {slot} ({variant.label})"
        cache = self._redis.start(home, logs / "redis.log", name=name)
        return RedisDatabase(cache.url, cache)

    def await_ready(self, cache: RedisDatabase) -> RedisDatabase:
        """Wait until it answers."""
        if cache.cache is None:
            return cache
        ready = self._redis.await_ready(cache.cache)
        return RedisDatabase(ready.url, ready)

    def stop(self, caches: Sequence[RedisDatabase]) -> None:
        """Stop the servers, all at once."""
        self._redis.stop(*(each.cache for each in caches if each.cache))

    def lend(self, folder: Path) -> Iterator[str]:
        """Yield the URL of a Redis that lives as long as the caller needs it."""
        home = folders.private_folder(folder / "redis", self._state.account)
        cache = self._redis.await_ready(self._redis.start(home, folder / "logs" / "redis.log"))
        try:
            yield cache.url
        finally:
            self._redis.stop(cache)
            folders.remove(home)

    def close(self) -> None:
        """Have nothing to let go of."""
