"""Databases of an external Redis: only empty ones, or those that hold our marker, are flushed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import redis

from loadstone.config.model import Variant
from loadstone.errors import TargetError
from loadstone.target.hosts import redis_parts
from loadstone.target.slots import RedisDatabase
from loadstone.target.urls import password_of, redact, with_path

MARKER_KEY = "loadstone:marker"
NAME_PREFIX = "loadstone-"


class ExternalCaches:
    """The Redis database of the URL for slot 0, the next ones for further slots.

    A marked database may belong to a living run: each run keeps a connection named
    after its token open, and the marker holds the token.
    """

    def __init__(self, url: str, *, token: str) -> None:
        self._url = url
        self._token = token
        self._first = int(str(redis_parts(url).get("db", 0)))
        self._claimed: dict[int, redis.Redis] = {}

    def start(self, slot: int, variant: Variant, logs: Path) -> RedisDatabase:  # noqa: ARG002 - no log of ours
        """Empty the slot's database; raises TargetError when it holds data that are not ours."""
        number = self._first + slot
        self._empty(number)
        return RedisDatabase(self._url_of(number))

    def await_ready(self, cache: RedisDatabase) -> RedisDatabase:
        """Return it as it is: `start` has spoken to it."""
        return cache

    def stop(self, caches: Sequence[RedisDatabase]) -> None:
        """Leave the server alone."""

    def lend(self, folder: Path) -> Iterator[str]:  # noqa: ARG002 - the server keeps its own files
        """Yield the URL of slot 0's database, emptied before."""
        self._empty(self._first)
        yield self._url_of(self._first)

    def close(self) -> None:
        """Empty what this run has used, as far as the server lets us.

        What is left when the server has gone bears our marker, so that the next run takes it over.
        """
        for client in self._claimed.values():
            with suppress(redis.RedisError, OSError):
                client.flushdb()
            with suppress(redis.RedisError, OSError):
                client.close()
        self._claimed.clear()

    def _url_of(self, number: int) -> str:
        return with_path(self._url, f"/{number}")

    def _empty(self, number: int) -> None:
        url = self._url_of(number)
        with _spoken(url):
            client = self._claimed.get(number) or self._claim(number)
            client.flushdb()
            client.set(MARKER_KEY, self._token)

    def _claim(self, number: int) -> redis.Redis:
        """Return a client of a database that may be flushed, with its connection held open."""
        url = self._url_of(number)
        client = redis.Redis.from_url(
            url, single_connection_client=True, client_name=NAME_PREFIX + self._token, decode_responses=True
        )
        owner: Any = client.get(MARKER_KEY)
        if owner is None and client.dbsize() != 0:
            client.close()
            raise TargetError(
                f"the Redis database {redact(url)} holds data and is left alone",
                cause=f"it is neither empty nor marked with the key {MARKER_KEY}",
                remedy="choose an empty database in --redis-url, such as …/8",
            )
        names = {entry.get("name") for entry in client.client_list()}
        if owner not in {None, self._token} and NAME_PREFIX + str(owner) in names:
            client.close()
            raise TargetError(
                f"the Redis database {redact(url)} is used by another run",
                cause=f"its marker names run {owner}, which is connected",
                remedy="wait for that run, or choose another database in --redis-url",
            )
        self._claimed[number] = client
        return client


@contextmanager
def _spoken(url: str) -> Iterator[None]:
    """Turn errors of the Redis client into TargetError, without passwords."""
    try:
        yield
    except redis.RedisError as error:
        raise TargetError(
            f"the Redis at {redact(url)} does not do what is asked",
            cause=redact(str(error), password_of(url)),
            remedy="check --redis-url, and that the server has enough databases (two slots need two)",
        ) from error
