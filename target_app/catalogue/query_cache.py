"""What cacheops cannot see by itself (choice `cache=query`): rows that change without a model's `save`."""

from __future__ import annotations

from collections.abc import Iterable

from cacheops import invalidate_obj
from cacheops.signals import cache_read

from catalogue.models import Product
from catalogue.pages import products_changed
from core import tally


def connect() -> None:
    """Have products that change dropped from kept queries, and look-ups noted."""
    products_changed.connect(drop_products, dispatch_uid="kept queries of products")
    cache_read.connect(note, dispatch_uid="look-ups of kept queries")


def drop_products(products: Iterable[int], **_: object) -> None:
    """Drop every kept query that products occur in, once their change is committed.

    Which queries these are follows from the rows' values: they are read as they are now.
    """
    for product in Product.objects.filter(pk__in=products).nocache():  # type: ignore[attr-defined]  # cacheops' own
        invalidate_obj(product)


def note(hit: bool, **_: object) -> None:
    """Note that an answer was looked for; a receiver of `cache_read`."""
    tally.looked_up(hit=hit)
