"""`manage.py apply_indexes`: give the shop's database the indexes that `SHOP_INDEXES` chooses.

For a shop that runs by itself; in a comparison the harness does this.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

from core import toggles


class Command(BaseCommand):
    """Run the statements of the chosen schema toggles."""

    help = "Run the SQL of the chosen schema toggles; what is there already stays."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - as Django calls it
        """Run every statement, each by itself."""
        for toggle in toggles.declared().values():
            for statement in toggle.ddl.get(toggles.choice(toggle.name), ()):
                self.stdout.write(statement)
                with connection.cursor() as cursor:
                    cursor.execute(statement)
