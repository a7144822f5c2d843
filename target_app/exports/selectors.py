"""Queries for reports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Count, F, Max, Q, Sum

from catalogue import selectors as catalogue
from catalogue.models import Product
from orders.models import OrderStatus

COLUMNS = (
    "product",
    "name",
    "brand",
    "category",
    "price",
    "stock",
    "orders",
    "units",
    "revenue",
    "last_sold_on",
)


def sales(category: str = "") -> Iterator[tuple[Any, ...]]:
    """Yield `COLUMNS` of each product, of a category and all below it or of all, without cancelled orders."""
    products = Product.objects.order_by("pk")
    if category:
        products = products.filter(category__in=catalogue.categories_within(category))
    counted = ~Q(order_lines__order__status=OrderStatus.CANCELLED)
    figures = products.annotate(
        orders=Count("order_lines", filter=counted),
        units=Sum("order_lines__quantity", filter=counted),
        revenue=Sum(F("order_lines__quantity") * F("order_lines__unit_price"), filter=counted),
        last_sold=Max("order_lines__order__placed_at__date", filter=counted),
    )
    names = ("id", "name", "brand__name", "category__name", "price", "stock")
    return figures.values_list(*names, "orders", "units", "revenue", "last_sold").iterator()
