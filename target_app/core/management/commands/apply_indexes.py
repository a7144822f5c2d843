"""`manage.py apply_indexes`: make the indexes that `SHOP_INDEXES` chooses, while the shop serves.

For a shop that runs by itself; in a comparison the harness does this.
"""

from __future__ import annotations

import re
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

from core import toggles

_CREATE = re.compile(r"CREATE INDEX IF NOT EXISTS (?P<name>\w+) ")
_BROKEN = """
SELECT 1 FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE relname = %s AND relnamespace = current_schema()::regnamespace AND NOT indisvalid
"""


class Command(BaseCommand):
    """Run the statements of the chosen schema toggles."""

    help = "Run the SQL of the chosen schema toggles without stopping writers; what is there already stays."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - as Django calls it
        """Run every statement, each by itself."""
        for toggle in toggles.declared().values():
            for statement in toggle.ddl.get(toggles.choice(toggle.name), ()):
                self.stdout.write(statement)
                _run(statement)


def _run(statement: str) -> None:
    """Run a statement; an index is built while others write, where PostgreSQL can do so.

    A build that was broken off leaves an index that is kept up and never used: it is
    dropped first, as IF NOT EXISTS would find it there.
    """
    index = _CREATE.match(statement)
    apart = connection.vendor == "postgresql" and not connection.in_atomic_block
    with connection.cursor() as cursor:
        if index and apart:
            cursor.execute(_BROKEN, [index["name"]])
            if cursor.fetchone():
                cursor.execute(f"DROP INDEX CONCURRENTLY {index['name']}")
            statement = statement.replace("CREATE INDEX ", "CREATE INDEX CONCURRENTLY ", 1)
        cursor.execute(statement)
