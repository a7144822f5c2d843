"""What full-text search looks in."""

from __future__ import annotations

from typing import Any

from django.db import models


class SearchDocument(models.GeneratedField):
    """A document that PostgreSQL makes of the text; elsewhere a copy of the name, which nobody reads.

    So that the table has the same columns everywhere: what is written is also returned by the database.
    """

    def generated_sql(self, connection: Any) -> tuple[str, tuple[Any, ...]]:  # noqa: ANN401 - as Django's
        """Return the expression that makes it."""
        if connection.vendor == "postgresql":
            sql: tuple[str, tuple[Any, ...]] = super().generated_sql(connection)
            return sql
        return connection.ops.quote_name("name"), ()

    def db_parameters(self, connection: Any) -> Any:  # noqa: ANN401 - as above
        """Return the column's type."""
        if connection.vendor == "postgresql":
            return super().db_parameters(connection)
        return {"type": "varchar(160)", "check": None}
