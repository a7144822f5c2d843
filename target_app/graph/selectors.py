"""Queries of the graph: lists that it starts from, and what many rows need at once, in one query each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber

from catalogue.models import Brand, Category, Product, Review
from catalogue.selectors import categories_within, on_sale
from customers.models import Customer

Grouped = dict[int, list[Any]]
"""Rows by the key of what they belong to."""


def products(first: int, offset: int, category: str | None) -> list[Product]:
    """Return what is on sale, the newest entries first, of a category and all below it or of all."""
    rows = on_sale()
    if category is not None:
        rows = rows.filter(category__in=categories_within(category))
    return list(rows.order_by("-id")[offset : offset + first])


def product(key: int) -> Product | None:
    """Return a product that is on sale."""
    return on_sale().filter(pk=key).first()


def brands(first: int) -> list[Brand]:
    """Return brands, the first ones first."""
    return list(Brand.objects.order_by("id")[:first])


def tag_names(keys: Iterable[int]) -> Grouped:
    """Return the names of products' tags, sorted."""
    through = Product.tags.through.objects.filter(product_id__in=keys)
    found: Grouped = defaultdict(list)
    for key, name in through.values_list("product_id", "tag__name"):
        found[key].append(name)
    return {key: sorted(names) for key, names in found.items()}


def reviews_of(keys: Sequence[int], first: int) -> Grouped:
    """Return each product's newest reviews."""
    return _firsts(Review.objects.all(), "product_id", ("-created_at", "-id"), keys, first)


def products_of(keys: Sequence[int], first: int) -> Grouped:
    """Return each brand's products on sale, the newest entries first."""
    return _firsts(on_sale(), "brand_id", ("-id",), keys, first)


def by_key(kind: type[Brand | Category | Customer], keys: Sequence[int]) -> dict[int, Any]:
    """Return rows by their keys."""
    return dict(kind._default_manager.in_bulk(keys))


def _firsts(
    rows: QuerySet[Any], owner: str, ordering: tuple[str, ...], keys: Sequence[int], first: int
) -> Grouped:
    """Return the first rows of each owner: numbered within their owner, and cut by that number."""
    order = [F(name[1:]).desc() if name.startswith("-") else F(name).asc() for name in ordering]
    place = Window(RowNumber(), partition_by=F(owner), order_by=order)
    chosen = rows.filter(**{f"{owner}__in": keys}).annotate(place=place).filter(place__lte=first)
    found: Grouped = defaultdict(list)
    for row in chosen.order_by(owner, "place"):
        found[getattr(row, owner)].append(row)
    return found
