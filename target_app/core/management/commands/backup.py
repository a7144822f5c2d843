"""`manage.py backup FILE`: all rows of the shop as of one moment, while it serves."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from core import archive


class Command(BaseCommand):
    """Write an archive."""

    help = "Write all rows, as of one moment, to FILE; `manage.py restore FILE` reads it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the argument."""
        parser.add_argument("file", type=Path, metavar="FILE")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - as Django calls it
        """Write it."""
        path: Path = options["file"]
        manifest = archive.write(path)
        rows = sum(table.rows for table in manifest.tables)
        self.stdout.write(f"{path}: {rows} rows of {len(manifest.tables)} tables")
