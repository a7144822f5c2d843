"""Counts what passes between a server and PostgreSQL, statement by statement."""

from __future__ import annotations

from dataclasses import dataclass

from loadstone.explain.postgres_connection import Completion, PostgresConnection
from loadstone.explain.relay import Observer
from loadstone.explain.sql import fingerprint, is_control, kind_of, normalise
from loadstone.explain.tap import Tap


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement as the server executed it."""

    connection: int
    """Counts connections of this tap from 1."""
    sql: str
    kind: str
    """The verb in lower case: `select`, `insert`, `copy`, `begin`, ..."""
    control: bool
    """Steers the session or transaction (BEGIN, COMMIT, SAVEPOINT, SET, SHOW, ...): no query."""
    rows: int
    """Rows sent to the client, or else rows written."""
    response_bytes: int
    """Everything the upstream sent for it, up to the end of its result."""
    duration_us: int
    """From the request to the end of the result, at the tap: diagnostic only."""
    error: str = ""
    """SQLSTATE of its failure, `closed` when the connection ended first, else empty."""

    @property
    def normalised(self) -> str:
        """The text without its values."""
        return normalise(self.sql)

    @property
    def fingerprint(self) -> str:
        """Equal for statements that differ in values or layout only."""
        return fingerprint(self.sql)


class PostgresTap(Tap[Statement]):
    """A PostgreSQL proxy that knows every statement, its rows and its bytes.

    TLS and GSS encryption are declined on the upstream's behalf, so that the
    connection stays readable.
    """

    def _observe(self, number: int) -> Observer:
        def completed(completion: Completion) -> None:
            self._add(_statement(number, completion))

        return PostgresConnection(completed, self._give_up)


def _statement(number: int, completion: Completion) -> Statement:
    return Statement(
        connection=number,
        sql=completion.sql,
        kind=kind_of(completion.sql),
        control=is_control(completion.sql),
        rows=completion.rows,
        response_bytes=completion.response_bytes,
        duration_us=completion.duration_us,
        error=completion.error,
    )
