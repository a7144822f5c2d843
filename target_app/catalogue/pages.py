"""Product pages as data, kept beside the database where the toggle `cache` says so."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.shortcuts import get_object_or_404

from catalogue import selectors
from catalogue.serializers import ProductPageSerializer
from core.caching import forget, remember


def product_page(product: int) -> dict[str, Any]:
    """Return everything that a product's page shows; raises `Http404` without such a product."""

    def compute() -> dict[str, Any]:
        return dict(ProductPageSerializer(get_object_or_404(selectors.product_pages(), pk=product)).data)

    page: dict[str, Any] = remember(_key(product), compute)
    return page


def forget_pages(products: Iterable[int]) -> None:
    """Drop the pages of products that change, once their transaction is committed."""
    forget(*map(_key, products))


def _key(product: int) -> str:
    return f"product:{product}"
