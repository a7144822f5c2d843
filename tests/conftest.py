"""Real services for any test that asks: one embedded PostgreSQL and Redis for the session.

Everything is imported and started on first use only, so that unit tests stay light.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from loadstone.target.folders import State
    from loadstone.target.processes import Supervisor

settings.register_profile("loadstone", deadline=None, derandomize=True)  # no clock, and the same cases always
settings.load_profile("loadstone")


@pytest.fixture(scope="session")
def supervisor() -> Iterator[Supervisor]:
    """Give the owner of the session's services; at the end none of its processes may live."""
    from loadstone.target.processes import Supervisor, find_processes

    with Supervisor() as owner:
        yield owner
    assert find_processes(owner.token) == []


@pytest.fixture(scope="session")
def open_folder(supervisor: Supervisor) -> Path:
    """Give a temporary folder that every account can pass through, unlike pytest's own.

    The reaper removes it, even where the tests are killed.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"loadstone-tests-{supervisor.token}-"))
    folder.chmod(0o711)
    supervisor.remove_at_end(folder)
    return folder


@pytest.fixture(scope="session")
def service_state(open_folder: Path) -> State:
    """Give the state folder of the session's services."""
    from loadstone.target.folders import State

    return State.open(open_folder / "services")


@pytest.fixture(scope="session")
def postgres_url(service_state: State, supervisor: Supervisor) -> Iterator[str]:
    """Give the URL of an empty database whose role may create further ones."""
    from loadstone.target.ports import Ports
    from loadstone.target.postgres import Postgres
    from loadstone.target.sql import session
    from loadstone.target.urls import with_path

    ports = Ports()
    postgres = Postgres(service_state, supervisor, ports)
    home = service_state.slots
    postgres.create(home / "data", home / "initdb.log")
    cluster = postgres.run(home / "data", home / "postgres.log")
    with session(cluster.url) as server:
        server.run("CREATE DATABASE tests")
    yield with_path(cluster.url, "/tests")
    postgres.stop(cluster)
    ports.close()


@pytest.fixture(scope="session")
def redis_url(service_state: State, supervisor: Supervisor) -> Iterator[str]:
    """Give the URL of database 0 of a Redis with sixteen."""
    from loadstone.target.folders import private_folder
    from loadstone.target.ports import Ports
    from loadstone.target.redis import Redis

    ports = Ports()
    redis = Redis(service_state, supervisor, ports)
    home = service_state.slots
    folder = private_folder(home / "redis", service_state.account)
    cache = redis.await_ready(redis.start(folder, home / "redis.log"))
    yield cache.url
    redis.stop(cache)
    ports.close()
