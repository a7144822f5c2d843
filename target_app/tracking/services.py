"""What moves orders on, and tells those who watch."""

from __future__ import annotations

from django.db import transaction

from core import toggles
from orders.models import Order, OrderStatus

NEXT: dict[str, tuple[str, ...]] = {
    OrderStatus.PLACED: (OrderStatus.PAID, OrderStatus.CANCELLED),
    OrderStatus.PAID: (OrderStatus.SHIPPED, OrderStatus.CANCELLED),
    OrderStatus.SHIPPED: (),
    OrderStatus.CANCELLED: (),
}


class WrongMoveError(Exception):
    """An order that cannot go from where it is to where it shall."""


def group_of(order: int) -> str:
    """Return the name under which those who watch an order are told."""
    return f"order-{order}"


def move_order(order: int, status: str) -> Order:
    """Move an order on, and tell once that is committed.

    Raises:
        Order.DoesNotExist: there is no such order.
        WrongMoveError: it cannot go there from where it is.
    """
    with transaction.atomic():
        found = Order.objects.select_for_update(no_key=True).only("id", "status").get(pk=order)
        if status not in NEXT[found.status]:
            raise WrongMoveError(f"An order that is {found.status} cannot become {status}.")
        found.status = status
        found.save(update_fields=["status"])
        if toggles.choice("updates") == "websocket":
            # the order has moved, whether or not Redis can tell of it
            transaction.on_commit(lambda: _tell(order, status), robust=True)
    return found


def _tell(order: int, status: str) -> None:
    """Send the news through Redis to whichever process holds the connections."""
    from asgiref.sync import async_to_sync  # noqa: PLC0415 - for those alone who chose to be told
    from channels.layers import get_channel_layer  # noqa: PLC0415 - as above

    news = {"type": "order.moved", "order": order, "status": status}
    async_to_sync(get_channel_layer().group_send)(group_of(order), news)
