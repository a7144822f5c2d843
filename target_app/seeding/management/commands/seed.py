"""`manage.py seed`: fill the shop with the same rows for the same size and seed."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from seeding import loading
from seeding.accounts import open_accounts
from seeding.population import Population
from seeding.sizes import SIZES


class Command(BaseCommand):
    """Fill the shop."""

    help = "Fill the shop with demonstration data: the same rows for the same size and seed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--size", choices=list(SIZES), default="small")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--replace", action="store_true", help="remove the rows that are there")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401, ARG002 - as Django calls it
        """Load the rows, unless there are some already."""
        if not options["replace"] and not loading.is_empty():
            raise CommandError("the shop has rows already; --replace removes them")
        population = Population(SIZES[options["size"]], options["seed"])
        loading.load(population, lambda table, share: self.stdout.write(f"{share:.0%} {table}"))
        open_accounts()
        self.stdout.write("100%")
