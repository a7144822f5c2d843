"""The one module that speaks to psycopg2, so that its errors are turned into ours in one place.

Connections are asynchronous, and we do the waiting: libpq's own would keep signals
from their Python handlers for as long as a statement takes.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg2
from psycopg2.extensions import POLL_OK, POLL_READ
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class

from loadstone.errors import TargetError
from loadstone.target.urls import password_of, redact

Row = tuple[Any, ...]
_STEP_MS = 200
"""How long a signal may wait that comes just before the wait for the server begins."""


class Session:
    """A connection on which each statement is a transaction."""

    def __init__(self, connection: Connection, url: str) -> None:
        self._connection = connection
        self._url = url

    def run(self, statement: str, parameters: Sequence[object] | None = None) -> list[Row]:
        """Execute one statement and return its rows, if it has any; raises TargetError."""
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(statement, parameters)
                _await_answer(self._connection)
                return list(cursor.fetchall()) if cursor.description else []
        except psycopg2.Error as error:
            raise TargetError(
                f"the database at {redact(self._url)} refused `{statement.strip()}`",
                cause=_words(error, self._url),
                remedy="check the statement, and whether the database still runs",
            ) from error


def _words(error: Exception, url: str) -> str:
    return redact(str(error).strip(), password_of(url))


def _await_answer(connection: Connection) -> None:
    """Wait for the end of a statement; an interruption ends it on the server as well."""
    try:
        _wait(connection)
    except (KeyboardInterrupt, SystemExit):
        with suppress(psycopg2.Error):
            connection.cancel()
        raise


def _wait(connection: Connection, timeout_s: float = float("inf")) -> None:
    """Poll an asynchronous connection until it is done; raises psycopg2.Error."""
    deadline = time.monotonic() + timeout_s
    while (state := connection.poll()) != POLL_OK:
        if time.monotonic() > deadline:
            raise psycopg2.OperationalError(f"no answer within {timeout_s:g} s")
        poller = select.poll()
        poller.register(connection.fileno(), select.POLLIN if state == POLL_READ else select.POLLOUT)
        poller.poll(_STEP_MS)


def _connect(url: str, timeout_s: float) -> Connection:
    """Connect; libpq heeds `connect_timeout` only where it does the waiting."""
    connection = psycopg2.connect(url, async_=True, application_name="loadstone")
    try:
        _wait(connection, timeout_s)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def session(url: str, *, timeout_s: int = 5) -> Iterator[Session]:
    """Connect, yield a Session, close; raises TargetError when there is no connection."""
    try:
        connection = _connect(url, timeout_s)
    except psycopg2.Error as error:
        raise TargetError(
            f"no connection to the database at {redact(url)}",
            cause=_words(error, url),
            remedy="check that the server runs and that the URL is right",
        ) from error
    try:
        yield Session(connection, url)
    finally:
        connection.close()


def quoted(name: str) -> str:
    """Return an SQL identifier, quoted."""
    return '"' + name.replace('"', '""') + '"'


def wait_until_ready(url: str, *, deadline: float, alive: Callable[[], bool]) -> bool:
    """Connect until it works; False when `alive()` turns false or `deadline` (monotonic) passes."""
    while time.monotonic() < deadline:
        try:
            _connect(url, timeout_s=2).close()
        except psycopg2.OperationalError:
            if not alive():
                return False
            time.sleep(0.005)
        else:
            return True
    return False
