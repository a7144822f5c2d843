"""Queries for accounts."""

from __future__ import annotations

from dataclasses import dataclass

from django.shortcuts import get_object_or_404

from customers.models import Customer
from orders.models import Order

LATEST_ORDERS = 5


@dataclass(frozen=True, slots=True)
class Account:
    """A customer with the orders that it placed last."""

    id: int
    name: str
    country: str
    latest_orders: list[Order]


def account(**whose: object) -> Account:
    """Return the account of the customer with `pk` or `user_id`; raises `Http404` where there is none."""
    customer = get_object_or_404(Customer.objects.only("id", "name", "country"), **whose)
    orders = Order.objects.filter(customer=customer).only("id", "status", "total").order_by("-id")
    return Account(customer.pk, customer.name, customer.country, list(orders[:LATEST_ORDERS]))
