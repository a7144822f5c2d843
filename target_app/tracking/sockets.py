"""WebSockets on which orders tell how far they have come (choice `updates=websocket`)."""

from __future__ import annotations

import io
from http import HTTPStatus
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.handlers.asgi import ASGIRequest
from django.urls import path

from accounts.access import is_guarded
from core.answering import sessions
from orders.models import Order
from tracking.services import NEXT, group_of
from tracking.views import OrderStatusPage

NO_SUCH_ORDER, DONE = 4404, 1000


class OrderNews(AsyncJsonWebsocketConsumer):  # type: ignore[misc]  # channels has no types
    """Tells an order's status, then each change of it, and hangs up after the last one."""

    order = 0

    async def connect(self) -> None:
        """Listen first and look then: a change in between is told twice rather than never."""
        self.order = self.scope["url_route"]["kwargs"]["pk"]
        await self.channel_layer.group_add(group_of(self.order), self.channel_name)
        await self.accept()
        status = await database_sync_to_async(_status)(self.scope, self.order)
        if status is None:
            await self.close(NO_SUCH_ORDER)
        else:
            await self._tell(status)

    async def order_moved(self, news: dict[str, Any]) -> None:
        """Pass the news on."""
        await self._tell(news["status"])

    async def disconnect(self, code: int) -> None:
        """Listen no more."""
        del code
        await self.channel_layer.group_discard(group_of(self.order), self.channel_name)

    async def _tell(self, status: str) -> None:
        await self.send_json({"order": self.order, "status": status})
        if not NEXT[status]:
            await self.close(DONE)


def _status(scope: dict[str, Any], order: int) -> str | None:
    """Return the status, None where there is no such order for this client."""
    if is_guarded() and not _may_ask(scope, order):
        return None
    return Order.objects.filter(pk=order).values_list("status", flat=True).first()


def _may_ask(scope: dict[str, Any], order: int) -> bool:
    """Tell whether the view that others ask again and again would answer this client."""
    page = OrderStatusPage.as_view()
    request = ASGIRequest({**scope, "type": "http", "method": "GET"}, io.BytesIO())
    return sessions(lambda asked: page(asked, pk=order))(request).status_code == HTTPStatus.OK


application = AllowedHostsOriginValidator(URLRouter([path("ws/orders/<int:pk>", OrderNews.as_asgi())]))
