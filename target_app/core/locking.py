"""Locks of rows, as strong as the database lets them be weak."""

from __future__ import annotations

from typing import TypeVar

from django.db import connection
from django.db.models import Model, QuerySet

_Row = TypeVar("_Row", bound=Model)


def locked(rows: QuerySet[_Row]) -> QuerySet[_Row]:
    """Return rows that are locked until the transaction ends, against writers.

    PostgreSQL lets others refer to them meanwhile; SQLite locks the whole database anyway.
    """
    return rows.select_for_update(no_key=connection.features.has_select_for_no_key_update)
