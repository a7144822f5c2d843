"""Fills the database, alike for the same seed."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from goods.models import Mark, Product, Shelf

SHELVES, MARKS, PRODUCTS, MARKS_EACH = 10, 40, 2_000, 3
WORDS = ("amber", "birch", "cedar", "dune", "ember", "fern", "garnet", "heath", "iris", "juniper", "kelp")
COLOURS = ("red", "green", "blue", "grey")
START = datetime(2024, 1, 1, tzinfo=UTC)


class Command(BaseCommand):
    """Makes shelves, marks and products."""

    help = "Fill an empty database."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the seed."""
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *_args: Any, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        """Fill it."""
        draw = random.Random(options["seed"])
        Shelf.objects.bulk_create(
            Shelf(id=number, name=_name(draw, 2), aisle=draw.randrange(1, 6))
            for number in range(1, SHELVES + 1)
        )
        Mark.objects.bulk_create(
            Mark(id=number, name=_name(draw, 2), colour=draw.choice(COLOURS))
            for number in range(1, MARKS + 1)
        )
        Product.objects.bulk_create(_product(draw, number) for number in range(1, PRODUCTS + 1))
        link = Product.marks.through
        link.objects.bulk_create(
            link(product_id=number, mark_id=mark)
            for number in range(1, PRODUCTS + 1)
            for mark in sorted(draw.sample(range(1, MARKS + 1), MARKS_EACH))
        )


def _product(draw: random.Random, number: int) -> Product:
    return Product(
        id=number,
        shelf_id=1 + number % SHELVES,
        rank=number // SHELVES,
        name=_name(draw, 3),
        text=_name(draw, 30),
        price=Decimal(draw.randrange(100, 100_000)) / 100,
        weight_g=draw.randrange(10, 5_000),
        stock=draw.randrange(0, 500),
        added_at=START + timedelta(minutes=draw.randrange(0, 500_000)),
    )


def _name(draw: random.Random, words: int) -> str:
    return " ".join(draw.choice(WORDS) for _ in range(words))
