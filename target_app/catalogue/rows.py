"""Rows without models (choice `orm=values`): what a query selects, and nothing that could fetch more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet
from django.db.models.query import ValuesListIterable

from catalogue.models import Tag
from catalogue.ratings import figures
from core import toggles

if TYPE_CHECKING:
    Tuples = ValuesListIterable[Any]
else:
    Tuples = ValuesListIterable


@dataclass(slots=True)
class Named:
    """A brand, or a category with those above it."""

    id: int
    name: str
    slug: str
    parent: Named | None = None


@dataclass(slots=True)
class Author:
    """Who wrote a review."""

    name: str


@dataclass(slots=True)
class ProductRow:
    """A product with everything that is shown of it."""

    id: int
    name: str
    slug: str
    price: Decimal
    stock: int
    created_at: datetime
    brand: Named
    category: Named
    tag_names: list[str]
    rating: Decimal
    review_count: int
    description: str = ""
    relevance: int = 0


@dataclass(slots=True)
class ReviewRow:
    """A review with its author's name."""

    id: int
    product_id: int
    author: Author
    rating: int
    title: str
    body: str
    is_verified: bool
    created_at: datetime


_PRODUCT = ("id", "name", "slug", "price", "stock", "created_at")
_BRAND = tuple(f"brand__{name}" for name in ("id", "name", "slug"))
_CATEGORY = tuple(f"category__{name}" for name in ("id", "name", "slug"))
_ABOVE = tuple(
    f"category__{way}__{name}" for way in ("parent", "parent__parent") for name in ("id", "name", "slug")
)
_FIGURES = {
    "computed": (),
    "annotated": ("rating", "review_count"),
    "stored": ("stored_rating", "stored_review_count"),
}
_REVIEW = ("id", "product_id", "author__name", "rating", "title", "body", "is_verified", "created_at")


def product_rows(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return products as `ProductRow`, tags included: one query."""
    return _as_rows(rows, ProductRows, ())


def product_page_rows(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return the same with the long text, and the categories above."""
    return _as_rows(rows, ProductPageRows, ("description", *_ABOVE))


def review_rows(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return reviews as `ReviewRow`."""
    chosen: QuerySet[Any] = rows.values_list(*_REVIEW)
    chosen._iterable_class = ReviewRows
    return chosen


def _as_rows(rows: QuerySet[Any], kind: type[Tuples], more: tuple[str, ...]) -> QuerySet[Any]:
    names = ArraySubquery(Tag.objects.filter(products=OuterRef("pk")).order_by().values("name"))
    relevance = ("relevance",) if "relevance" in rows.query.annotations else ()
    columns = (*_PRODUCT, *_BRAND, *_CATEGORY, "tag_names", *_FIGURES[toggles.choice("rating")])
    chosen: QuerySet[Any] = rows.annotate(tag_names=names).values_list(*columns, *more, *relevance)
    chosen._iterable_class = kind
    return chosen


class ProductRows(Tuples):
    """Makes a `ProductRow` of each tuple."""

    def __iter__(self) -> Iterator[Any]:
        """Yield the rows."""
        for values in super().__iter__():
            row, rest = _product(values)
            row.relevance = rest[0] if rest else 0
            yield row


class ProductPageRows(Tuples):
    """Makes a `ProductRow` for a page of its own of each tuple."""

    def __iter__(self) -> Iterator[Any]:
        """Yield the rows."""
        for values in super().__iter__():
            row, rest = _product(values)
            row.description, row.category.parent = rest[0], _above(rest[1:])
            yield row


class ReviewRows(Tuples):
    """Makes a `ReviewRow` of each tuple."""

    def __iter__(self) -> Iterator[Any]:
        """Yield the rows."""
        for key, product, author, *rest in super().__iter__():
            yield ReviewRow(key, product, Author(author), *rest)


def _product(values: tuple[Any, ...]) -> tuple[ProductRow, tuple[Any, ...]]:
    """Return the row of a tuple, and what the tuple has beyond it."""
    key, name, slug, price, stock, created_at = values[:6]
    brand, category, tags, rest = values[6:9], values[9:12], values[12], values[13:]
    if toggles.choice("rating") == "computed":
        rest = (*figures(key), *rest)  # a query a row: what the toggle says
    row = ProductRow(
        id=key,
        name=name,
        slug=slug,
        price=price,
        stock=stock,
        created_at=created_at,
        brand=Named(*brand),
        category=Named(*category),
        tag_names=sorted(tags),
        rating=rest[0],
        review_count=rest[1],
    )
    return row, rest[2:]


def _above(values: tuple[Any, ...]) -> Named | None:
    """Return the category above, with those above it, from their columns; None at the tree's root."""
    if not values or values[0] is None:
        return None
    key, name, slug, *rest = values
    return Named(key, name, slug, _above(tuple(rest)))
