"""Backups: every row as of one moment, as PostgreSQL's COPY writes it, in a ZIP file with a manifest.

Not pg_dump: it must be as new as the server, and is not everywhere where the shop runs. The
schema is not in the archive: migrations make it, and they must be those of the backup.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.apps import apps
from django.core.management.base import CommandError
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder

MANIFEST = "manifest.json"
FORMAT = 1
_COLUMNS = """
SELECT column_name FROM information_schema.columns
WHERE table_schema = current_schema() AND table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position
"""


@dataclass(frozen=True, slots=True)
class Table:
    """A table's name, its columns that hold data, and how many rows are kept of it."""

    name: str
    columns: list[str]
    rows: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive holds."""

    format: int
    at: str
    migrations: list[str]
    tables: list[Table]


def write(path: Path) -> Manifest:
    """Write all rows to `path`, which appears when it is whole.

    Raises:
        CommandError: the database is not PostgreSQL.
    """
    _require_postgres()
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with zipfile.ZipFile(partial, "x", zipfile.ZIP_DEFLATED) as packed:
            manifest = _pack(packed)
            packed.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return manifest


def read(path: Path, *, replace: bool) -> Manifest:
    """Fill the database with the rows of an archive, all or none.

    Raises:
        CommandError: the file is no whole archive, the database is migrated otherwise, or has
            rows already and `replace` does not say to remove them.
    """
    _require_postgres()
    try:
        with zipfile.ZipFile(path) as packed:
            damaged = packed.testzip()
            if damaged:
                raise CommandError(f"{path} is damaged: {damaged} is not what was written")
            manifest = _manifest(packed)
            _check(path, manifest)
            with transaction.atomic():
                _unpack(packed, manifest, replace=replace)
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
        raise CommandError(f"{path} is no archive of this shop: {error}") from error
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return manifest


def _pack(packed: zipfile.ZipFile) -> Manifest:
    tables = []
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        migrations = _migrations()
        for name in _table_names():
            cursor.execute(_COLUMNS, [name])
            columns = [column for (column,) in cursor.fetchall()]
            with packed.open(f"{name}.copy", "w", force_zip64=True) as sink:
                cursor.copy_expert(f"COPY {_named(name, columns)} TO STDOUT", sink)
            tables.append(Table(name, columns, cursor.rowcount))
    return Manifest(FORMAT, datetime.now(UTC).isoformat(timespec="seconds"), migrations, tables)


def _unpack(packed: zipfile.ZipFile, manifest: Manifest, *, replace: bool) -> None:
    """Load every table; foreign keys are checked at the end of the transaction."""
    names = [table.name for table in manifest.tables]
    with connection.cursor() as cursor:
        if not replace:
            _refuse_rows()
        cursor.execute(f"TRUNCATE {', '.join(map(connection.ops.quote_name, names))}")
        for table in manifest.tables:
            with packed.open(f"{table.name}.copy") as source:
                cursor.copy_expert(f"COPY {_named(table.name, table.columns)} FROM STDIN", source)
            if cursor.rowcount != table.rows:
                raise CommandError(f"{table.name}: {cursor.rowcount} rows came of {table.rows}")
        models = apps.get_models(include_auto_created=True)
        for statement in connection.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(statement)


def _refuse_rows() -> None:
    """Refuse a shop that has rows; those that `migrate` makes of itself are none."""
    for model in apps.get_models():
        if model._meta.app_label in {"contenttypes", "auth"} and model.__name__ != "User":
            continue
        if model._default_manager.exists():
            raise CommandError(f"{model._meta.db_table} has rows already; --replace removes them all")


def _manifest(packed: zipfile.ZipFile) -> Manifest:
    told = json.loads(packed.read(MANIFEST))
    if told["format"] != FORMAT:
        raise ValueError(f"format {told['format']}, and this version reads {FORMAT}")
    return Manifest(**told | {"tables": [Table(**table) for table in told["tables"]]})


def _check(path: Path, manifest: Manifest) -> None:
    here, there = set(_migrations()), set(manifest.migrations)
    if here != there:
        other = min(here ^ there)
        side = "this database" if other in here else "the backup"
        raise CommandError(
            f"{path} belongs to other migrations: {other} is applied in {side} alone;"
            " run manage.py migrate to where the backup was"
        )
    if {table.name for table in manifest.tables} != set(_table_names()):
        raise CommandError(f"{path} holds other tables than this shop has")


def _migrations() -> list[str]:
    """Return what is applied, of the apps that are installed."""
    installed = {each.label for each in apps.get_app_configs()}
    applied = MigrationRecorder(connection).applied_migrations()
    return sorted(f"{app}.{name}" for app, name in applied if app in installed)


def _table_names() -> Iterator[str]:
    managed = (model for model in apps.get_models(include_auto_created=True) if model._meta.managed)
    yield from sorted({model._meta.db_table for model in managed})


def _named(table: str, columns: list[str]) -> str:
    quote = connection.ops.quote_name
    return f"{quote(table)} ({', '.join(map(quote, columns))})"


def _require_postgres() -> None:
    if connection.vendor != "postgresql":
        raise CommandError(f"not available here: backups are made of PostgreSQL, this is {connection.vendor}")
