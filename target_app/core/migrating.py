"""Steps of migrations that only PostgreSQL takes."""

from __future__ import annotations

from typing import Any

from django.db.migrations import AddIndex


class AddIndexOnPostgres(AddIndex):
    """An index of a kind that others do not have."""

    def database_forwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:  # noqa: ANN401 - as Django's
        """Add it."""
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, *states)

    def database_backwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:  # noqa: ANN401 - as above
        """Remove it."""
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, *states)
