"""The one module that speaks to psycopg2, so that its errors are turned into ours in one place."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class

from loadstone.errors import TargetError
from loadstone.target.urls import password_of, redact

Row = tuple[Any, ...]


class Session:
    """An autocommit connection."""

    def __init__(self, connection: Connection, url: str) -> None:
        self._connection = connection
        self._url = url

    def run(self, statement: str, parameters: Sequence[object] | None = None) -> list[Row]:
        """Execute one statement and return its rows, if it has any; raises TargetError."""
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(statement, parameters)
                return list(cursor.fetchall()) if cursor.description else []
        except psycopg2.Error as error:
            raise TargetError(
                f"the database at {redact(self._url)} refused `{statement.strip()}`",
                cause=_words(error, self._url),
                remedy="check the statement, and whether the database still runs",
            ) from error


def _words(error: Exception, url: str) -> str:
    return redact(str(error).strip(), password_of(url))


@contextmanager
def session(url: str, *, timeout_s: int = 5) -> Iterator[Session]:
    """Connect, yield a Session, close; raises TargetError when there is no connection."""
    try:
        connection = psycopg2.connect(url, connect_timeout=timeout_s, application_name="loadstone")
    except psycopg2.Error as error:
        raise TargetError(
            f"no connection to the database at {redact(url)}",
            cause=_words(error, url),
            remedy="check that the server runs and that the URL is right",
        ) from error
    try:
        connection.autocommit = True
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
            psycopg2.connect(url, connect_timeout=2).close()
        except psycopg2.OperationalError:
            if not alive():
                return False
            time.sleep(0.005)
        else:
            return True
    return False
