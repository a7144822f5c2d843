"""Which machines a run may touch: this one, and those that were named twice."""

from __future__ import annotations

import os
from collections.abc import Collection

import redis
from psycopg2 import ProgrammingError
from psycopg2.extensions import parse_dsn

from loadstone.config.allowed import how_to_allow
from loadstone.errors import ConfigurationError
from loadstone.target.urls import is_loopback, password_of, redact


def postgres_hosts(url: str) -> set[str]:
    """Return all hosts that libpq would try for a URL; empty: a local socket.

    Raises ConfigurationError for a URL that cannot be read or that leaves the host
    to a service file.
    """
    try:
        parts = parse_dsn(url)
    except ProgrammingError as error:
        raise _unreadable("database", url, error) from error
    if "service" in parts:
        raise _unreadable("database", url, "it leaves the host to a service file")
    named = [parts.get("host", os.environ.get("PGHOST", "")), parts.get("hostaddr", "")]
    hosts = {host.strip() for text in named for host in text.split(",")}
    return {host for host in hosts if host and not host.startswith(("/", "@"))}


def redis_hosts(url: str) -> set[str]:
    """Return the host of a Redis URL; empty: a local socket."""
    parts = redis_parts(url)
    return set() if "path" in parts else {str(parts.get("host", "localhost"))}


def redis_parts(url: str) -> dict[str, object]:
    """Return what the client reads from a Redis URL; raises ConfigurationError."""
    try:
        return dict(redis.connection.parse_url(url))  # type: ignore[no-untyped-call]  # has no types
    except ValueError as error:
        raise _unreadable("Redis", url, error) from error


def require_allowed(hosts: Collection[str], allowed: Collection[str], option: str) -> None:
    """Raise ConfigurationError for a host that is neither loopback nor named twice, as `allowed` are."""
    for host in sorted(hosts):
        if not is_loopback(host) and host not in allowed:
            raise ConfigurationError(
                f"{option} names {host}, which is not this machine",
                cause="databases would be created and dropped there",
                remedy=how_to_allow(host),
            )


def _unreadable(kind: str, url: str, error: object) -> ConfigurationError:
    return ConfigurationError(
        f"the {kind} URL {redact(url)} cannot be used",
        cause=redact(str(error).strip(), _password_or_nothing(url)),
        remedy="write it as scheme://user:password@host:port/name",
    )


def _password_or_nothing(url: str) -> str:
    try:
        return password_of(url)
    except ValueError:
        return ""
