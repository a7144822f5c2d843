"""Queries for orders and sales."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import F, QuerySet, Sum
from django.http import Http404

from catalogue import selectors as catalogue
from catalogue.models import Product
from orders.models import Confirmation, Invoice, Order, OrderLine, OrderStatus

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


def demand_order_of(user: Any, order: int) -> None:  # noqa: ANN401 - a user, or what a token says of one
    """Raise `Http404` unless an order belongs to the customer with this login."""
    if not Order.objects.filter(pk=order, customer__user_id=user.pk).exists():
        raise Http404


def confirmation(order: int) -> Confirmation | None:
    """Return an order's confirmation, None while it is to be made; raises `Http404` without such an order."""
    found = Confirmation.objects.filter(order=order).first()
    if found is None:
        _require(order)
    return found


def invoice(order: int) -> bytes | None:
    """Return an order's invoice as PDF; otherwise as above."""
    document = Invoice.objects.filter(order=order).values_list("document", flat=True).first()
    if document is None:
        _require(order)
    return None if document is None else bytes(document)


def _require(order: int) -> None:
    if not Order.objects.filter(pk=order).exists():
        raise Http404


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
