"""Product pages as data, kept beside the database where the toggle `cache` says so."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.dispatch import Signal

from catalogue import presenting, selectors
from core.caching import forget, remember

products_changed = Signal()
"""Sent with `products`, keys of rows that the sender changed within its transaction."""


def product_page(product: int) -> dict[str, Any]:
    """Return everything that a product's page shows; raises `Http404` without such a product."""
    page: dict[str, Any] = remember(_key(product), lambda: presenting.page(selectors.product_page(product)))
    return page


def forget_pages(products: Iterable[int]) -> None:
    """Drop the pages of products that change, once their transaction is committed, and tell of the change."""
    changed = tuple(products)
    forget(*map(_key, changed))
    products_changed.send(sender=None, products=changed)


def _key(product: int) -> str:
    return f"product:{product}"
