"""`manage.py restore FILE`: the rows that `manage.py backup` wrote."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from core import archive


class Command(BaseCommand):
    """Read an archive."""

    help = "Fill the shop with the rows of FILE, all or none; migrate the database first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--replace", action="store_true", help="remove the rows that are there")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - as Django calls it
        """Read it."""
        path: Path = options["file"]
        manifest = archive.read(path, replace=options["replace"])
        rows = sum(table.rows for table in manifest.tables)
        self.stdout.write(f"{path}: {rows} rows of {len(manifest.tables)} tables, as of {manifest.at}")
