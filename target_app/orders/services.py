"""What changes orders and stock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from background.services import later
from catalogue.models import Product
from catalogue.pages import forget_pages
from core.locking import locked
from customers.models import Customer
from orders.models import Order, OrderLine


@dataclass(frozen=True, slots=True)
class Item:
    """A product and how many of it."""

    product: int
    quantity: int


class OrderError(Exception):
    """An order that cannot be placed as it was asked for."""


class UnknownProductError(OrderError):
    """A product that is not on sale."""


class OutOfStockError(OrderError):
    """Fewer pieces are in stock than were ordered."""


def place_order(customer: Customer, items: Sequence[Item]) -> Order:
    """Place an order and take its items from stock, all or nothing.

    Products are locked in the order of their ids, so that two orders of the same
    products wait for each other instead of deadlocking. Invoice and confirmation follow.

    Raises:
        UnknownProductError: a product is not on sale.
        OutOfStockError: there is not enough of a product.
    """
    wanted = {item.product: item.quantity for item in items}
    with transaction.atomic():
        products = _lock(wanted)
        total = sum(product.price * wanted[product.pk] for product in products)
        order = Order.objects.create(customer=customer, total=total, placed_at=timezone.now())
        OrderLine.objects.bulk_create(
            OrderLine(order=order, product=product, quantity=wanted[product.pk], unit_price=product.price)
            for product in products
        )
        for product in products:
            Product.objects.filter(pk=product.pk).update(stock=F("stock") - wanted[product.pk])
        forget_pages(wanted)
        later("confirm_order", order.pk)
    return order


def _lock(wanted: dict[int, int]) -> list[Product]:
    rows = locked(Product.objects.filter(pk__in=wanted, is_active=True))
    products = list(rows.only("id", "name", "price", "stock").order_by("id"))
    missing = sorted(wanted.keys() - {product.pk for product in products})
    if missing:
        raise UnknownProductError(f"Not on sale: {', '.join(map(str, missing))}.")
    short = [product for product in products if product.stock < wanted[product.pk]]
    if short:
        raise OutOfStockError("; ".join(f"{each.name}: {each.stock} left" for each in short) + ".")
    return products
