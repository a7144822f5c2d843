"""Databases on an external PostgreSQL: only those that carry our marker are ever dropped.

Templates and slots are databases named `loadstone_*` with a comment that begins
with the marker. An advisory lock, held for as long as a run lives, tells the
databases of a living run from those that a killed one left behind.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

from loadstone.config.model import Recipe, Variant
from loadstone.errors import TargetError
from loadstone.target import folders, preparation
from loadstone.target.preparation import Kitchen, Progress, silent
from loadstone.target.recipes import LAYOUT, Template
from loadstone.target.slots import Database
from loadstone.target.sql import Session, quoted, session
from loadstone.target.urls import redact, with_path

PREFIX = "loadstone_"
MARKER = "made by loadstone, which may drop it;"
"""How the comment on a database of ours begins."""
_FILE_COPY_SINCE = 150_000
_LOCK_INTERVAL_S = 0.1


class ExternalDatabases:
    """Databases on a server that is not ours, made from marked templates there.

    Args:
        url: a database of the server to connect to; its role needs CREATEDB.
        token: the run's.
        home: the run's folder, for logs of recipe commands.
        kitchen: runs recipe commands.
    """

    def __init__(self, url: str, *, token: str, home: Path, kitchen: Kitchen) -> None:
        self._url = url
        self._token = token
        self._home = home
        self._kitchen = kitchen
        self._exits = ExitStack()
        self._server = self._exits.enter_context(session(url))
        self._version = int(self._server.run("SHOW server_version_num")[0][0])
        self._known: set[str] = set()
        lock(self._server, token)
        drop_orphans(self._server)

    def prepare(self, variant: Variant, progress: Progress) -> Template | None:
        """Build the template database of a variant's recipe, unless there is one."""
        self._ensure(variant, progress)
        return None

    def fill(self, slot: int, variant: Variant, *, refill: bool) -> None:
        """Copy the template into a database of the slot."""
        name = self._slot_name(slot, variant.recipe)
        exists = _comment(self._server, name) is not None
        if exists and not refill:
            return
        if exists:
            drop(self._server, name)
        self._copy(self._ensure(variant, silent), name)

    def start(self, slot: int, variant: Variant, logs: Path) -> Database:  # noqa: ARG002 - no log of ours
        """Return the slot's database; its server runs already."""
        return Database(with_path(self._url, "/" + self._slot_name(slot, variant.recipe)))

    def await_ready(self, database: Database) -> Database:
        """Connect once, so that a database that is gone is noticed here."""
        with session(database.url):
            return database

    def stop(self, databases: Sequence[Database]) -> None:
        """Leave the server alone."""

    def close(self) -> None:
        """Drop the run's databases as far as the server lets us; templates stay for the next run.

        What cannot be dropped, because the server has gone, the next run drops as an orphan.
        """
        with self._exits, suppress(TargetError):
            for name, comment in _ours(self._server):
                if comment == self._mark("run"):
                    with suppress(TargetError):
                        drop(self._server, name)

    def _mark(self, kind: str) -> str:
        return f"{MARKER} {kind} {self._token}" if kind == "run" else f"{MARKER} {kind}"

    def _template_name(self, recipe: Recipe) -> str:
        digest = hashlib.sha256(f"{recipe.key} {self._version} {LAYOUT}".encode()).hexdigest()
        return f"{PREFIX}template_{digest[:12]}"

    def _slot_name(self, slot: int, recipe: Recipe) -> str:
        return f"{PREFIX}{self._token}_{slot}_{self._template_name(recipe)[-12:]}"

    def _ensure(self, variant: Variant, progress: Progress) -> str:
        name = self._template_name(variant.recipe)
        if name in self._known:
            return name
        with session(self._url) as locking:  # the lock ends with the connection
            lock(locking, name, progress)
            comment = _comment(self._server, name)
            if comment is not None and not comment.startswith(MARKER):
                raise _not_ours(name)
            if comment is None:
                self._build(variant, name, progress)
        self._known.add(name)
        return name

    def _build(self, variant: Variant, name: str, progress: Progress) -> None:
        """Build under a name of the run's, and rename when whole."""
        draft = f"{PREFIX}{self._token}_draft_{name[-12:]}"
        url = with_path(self._url, f"/{draft}")
        if variant.recipe.ddl:
            base = self._ensure(replace(variant, recipe=replace(variant.recipe, ddl=())), progress)
            self._copy(base, draft)
            preparation.apply_ddl(variant.recipe, url, progress)
        else:
            progress("making an empty database", None)
            self._create(draft, "")
            self._kitchen.prepare(variant, url, folders.passable_folder(self._home / draft), progress)
        self._server.run(f"ALTER DATABASE {quoted(draft)} RENAME TO {quoted(name)}")
        self._server.run(f"COMMENT ON DATABASE {quoted(name)} IS '{self._mark('template')}'")

    def _copy(self, template: str, name: str) -> None:
        strategy = " STRATEGY FILE_COPY" if self._version >= _FILE_COPY_SINCE else ""
        self._create(name, f" TEMPLATE {quoted(template)}{strategy}")

    def _create(self, name: str, clause: str) -> None:
        self._server.run(f"CREATE DATABASE {quoted(name)}{clause}")
        self._server.run(f"COMMENT ON DATABASE {quoted(name)} IS '{self._mark('run')}'")


def _number(name: str) -> int:
    """Return the key of an advisory lock for a name."""
    return int.from_bytes(hashlib.sha256(f"{PREFIX}{name}".encode()).digest()[:8], "big", signed=True)


def lock(server: Session, name: str, progress: Progress = silent) -> None:
    """Hold the advisory lock of a name until the session ends; waits for it, and tells of that once."""
    told = False
    while not server.run("SELECT pg_try_advisory_lock(%s)", [_number(name)])[0][0]:
        if not told:
            progress(preparation.WAITING, None)
        told = True
        time.sleep(_LOCK_INTERVAL_S)


def _comment(server: Session, name: str) -> str | None:
    """Return a database's comment; None: there is no such database."""
    query = "SELECT coalesce(shobj_description(oid, 'pg_database'), '') FROM pg_database WHERE datname = %s"
    rows = server.run(query, [name])
    return str(rows[0][0]) if rows else None


def _ours(server: Session) -> list[tuple[str, str]]:
    """Return name and comment of all databases that carry our marker."""
    query = (
        "SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database "
        "WHERE starts_with(datname, %s) AND starts_with(shobj_description(oid, 'pg_database'), %s)"
    )
    return [(str(name), str(comment)) for name, comment in server.run(query, [PREFIX, MARKER])]


def drop(server: Session, name: str) -> None:
    """Drop a database of ours; raises TargetError for any other."""
    comment = _comment(server, name)
    if comment is None:
        return
    if not name.startswith(PREFIX) or not comment.startswith(MARKER):
        raise _not_ours(name)
    server.run(f"DROP DATABASE {quoted(name)} WITH (FORCE)")


def drop_orphans(server: Session) -> list[str]:
    """Drop what killed runs left behind; return the databases' names."""
    dropped = []
    for name, comment in _ours(server):
        kind, _, token = comment.removeprefix(MARKER).strip().partition(" ")
        if kind == "run" and _is_dead(server, token):
            drop(server, name)
            dropped.append(name)
    return dropped


def drop_all(url: str, *, confirm: Callable[[str], bool] = lambda _: True) -> list[str]:
    """Drop templates and what killed runs left on a server; return the databases' names."""
    with session(url) as server:
        dropped = drop_orphans(server)
        for name, comment in _ours(server):
            if comment == f"{MARKER} template" and confirm(name):
                drop(server, name)
                dropped.append(name)
        return dropped


def _is_dead(server: Session, token: str) -> bool:
    """Tell whether no session holds the lock of a run; a session of our own counts as well."""
    query = (
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted "
        "AND (classid::bigint << 32 | objid::bigint) = %s"
    )
    return int(server.run(query, [_number(token)])[0][0]) == 0


def _not_ours(name: str) -> TargetError:
    return TargetError(
        f"the database {redact(name)} does not carry loadstone's marker and is left alone",
        cause=f"its comment does not begin with `{MARKER}`",
        remedy=f"if it is not needed, drop it by hand: DROP DATABASE {quoted(name)}",
    )
