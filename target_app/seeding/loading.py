"""Loading rows: with COPY into PostgreSQL, by ordinary statements elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from django.core.management.color import no_style
from django.db import connection, models, transaction

from background.models import TaskRun
from catalogue.models import Brand, Category, Product, Review, Tag
from customers.models import Customer
from exports.models import Export
from orders.models import Confirmation, Invoice, Order, OrderLine
from seeding.population import Population

ROWS_PER_CHUNK = 2_000
Rows = Iterator[tuple[object, ...]]
Progress = Callable[[str, float], None]

TABLES: tuple[tuple[type[models.Model], Callable[[Population], Rows], tuple[str, ...]], ...] = (
    (Category, Population.categories, ("id", "parent_id", "name", "slug")),
    (Brand, Population.brands, ("id", "name", "slug", "country")),
    (Tag, Population.tags, ("id", "name", "slug")),
    (Customer, Population.customers, ("id", "name", "email", "country", "joined_at")),
    (
        Product,
        Population.products,
        (
            "id", "category_id", "brand_id", "name", "slug", "description", "price", "stock", "is_active",
            "rating", "review_count", "created_at",
        ),
    ),
    (Product.tags.through, Population.product_tags, ("product_id", "tag_id")),
    (
        Review,
        Population.reviews,
        ("id", "product_id", "author_id", "rating", "title", "body", "is_verified", "created_at"),
    ),
    (Order, Population.orders, ("id", "customer_id", "status", "total", "placed_at")),
    (OrderLine, Population.order_lines, ("id", "order_id", "product_id", "quantity", "unit_price")),
)  # fmt: skip
"""In an order in which every row refers to rows that are there."""
FOLLOWING: tuple[type[models.Model], ...] = (Invoice, Confirmation, Export, TaskRun)
"""Tables that fill when the shop is used: about rows that a new population replaces."""


class CopyStream:
    """Rows as the text that COPY reads, made chunk by chunk."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._rest = ""

    def read(self, size: int) -> str:
        """Return the next `size` characters, fewer at the end."""
        parts = [self._rest]
        length = len(self._rest)
        while length < size:
            chunk = "".join(map(_line, islice(self._rows, ROWS_PER_CHUNK)))
            if not chunk:
                break
            parts.append(chunk)
            length += len(chunk)
        text = "".join(parts)
        self._rest = text[size:]
        return text[:size]


def is_empty() -> bool:
    """Tell whether the shop has no rows yet."""
    return not any(model._default_manager.exists() for model, _, _ in TABLES)


def load(population: Population, progress: Progress) -> None:
    """Replace all rows by a population's; `progress` gets each table and the share done before it."""
    weights = [0.5, 0.5, 0.5, 2, 20, 8, 55, 5, 8.5]
    fill = _copy if connection.vendor == "postgresql" else _insert
    with transaction.atomic(), connection.cursor() as cursor:
        _empty(cursor)
        for index, (model, rows, columns) in enumerate(TABLES):
            progress(str(model._meta.verbose_name_plural), sum(weights[:index]) / sum(weights))
            fill(cursor, model, columns, rows(population))
        for statement in connection.ops.sequence_reset_sql(no_style(), [model for model, _, _ in TABLES]):
            cursor.execute(statement)
    if connection.vendor != "mysql":  # it keeps its statistics by itself
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def _empty(cursor: Any) -> None:  # noqa: ANN401 - Django's wrapper has no public type
    emptied = [model for model, _, _ in TABLES] + list(FOLLOWING)
    names = [model._meta.db_table for model in emptied]
    if connection.vendor == "postgresql":
        cursor.execute(f"TRUNCATE {', '.join(names)}")
        return
    for name in reversed(names):
        cursor.execute(f"DELETE FROM {name}")  # noqa: S608 - names of our own tables


def _copy(cursor: Any, model: type[models.Model], columns: tuple[str, ...], rows: Rows) -> None:  # noqa: ANN401 - as above
    statement = f"COPY {model._meta.db_table} ({', '.join(columns)}) FROM STDIN"
    cursor.copy_expert(statement, CopyStream(rows))


def _insert(_cursor: Any, model: type[models.Model], columns: tuple[str, ...], rows: Rows) -> None:  # noqa: ANN401 - as above
    fields = {field.column: field for field in model._meta.local_concrete_fields}
    chosen = [fields[column] for column in columns]

    def made(row: tuple[object, ...]) -> models.Model:
        values = zip(chosen, row, strict=True)
        return model(**{field.attname: field.to_python(value) for field, value in values})

    while chunk := [made(row) for row in islice(rows, ROWS_PER_CHUNK)]:
        model._default_manager.bulk_create(chunk)


def _line(row: tuple[object, ...]) -> str:
    return "\t".join(["\\N" if value is None else str(value) for value in row]) + "\n"
