"""Queries for orders and sales."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F, QuerySet, Sum

from catalogue import selectors as catalogue
from catalogue.models import Product
from orders.models import Order, OrderLine, OrderStatus

BEST = 20


@dataclass(frozen=True, slots=True)
class Seller:
    """A product with what it sold."""

    product: Product
    units: int
    revenue: Decimal


def orders() -> QuerySet[Order]:
    """Return all orders with their lines."""
    return Order.objects.prefetch_related("lines")


def best_sellers(category: str = "") -> list[Seller]:
    """Return the products that sold most units, best first, of a category and all below it or of all.

    Every line of every order is read: that is what makes the answer worth keeping.
    """
    lines = OrderLine.objects.exclude(order__status=OrderStatus.CANCELLED).filter(product__is_active=True)
    if category:
        lines = lines.filter(product__category__in=catalogue.categories_within(category))
    sums = lines.values("product_id").annotate(
        units=Sum("quantity"), revenue=Sum(F("quantity") * F("unit_price"))
    )
    best = list(sums.order_by("-units", "product_id")[:BEST])
    rows = catalogue.listed_products().filter(pk__in=[row["product_id"] for row in best])
    products = {product.id: product for product in rows}
    return [Seller(products[row["product_id"]], row["units"], row["revenue"]) for row in best]
