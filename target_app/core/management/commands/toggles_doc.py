"""`manage.py toggles_doc`: write what derives from the declaration of the toggles."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.toggle_texts import texts


class Command(BaseCommand):
    """Write or check the derived files."""

    help = "Write docs/toggles.md and .env.example from toggles.toml, or check that they are up to date."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the option."""
        parser.add_argument(
            "--check", action="store_true", help="change nothing; fail where a file is out of date"
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - as Django calls it
        """Write the files, or compare them."""
        for path, text in texts().items():
            if options["check"]:
                if not path.is_file() or path.read_text(encoding="utf-8") != text:
                    raise CommandError(f"{path.name} is out of date; run manage.py toggles_doc")
            else:
                path.write_text(text, encoding="utf-8")
