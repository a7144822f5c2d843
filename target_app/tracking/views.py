"""The status of an order: asked for, and changed by whoever packs and sends."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import demand_staff
from core import toggles
from orders.models import Order, OrderStatus
from orders.views import Conflict, OwnOrder
from tracking import services

SOCKET = "/ws/orders/{order}"


class StatusSerializer(serializers.Serializer[Any]):
    """How far an order has come."""

    order = serializers.IntegerField(source="id", read_only=True)
    status = serializers.ChoiceField(OrderStatus.choices)


class OrderStatusPage(OwnOrder, generics.GenericAPIView[Order]):
    """How far an order has come."""

    serializer_class = StatusSerializer
    filter_backends = ()
    pagination_class = None

    def get(self, request: Request, pk: int) -> Response:
        """Answer the status; the header `Link` says where news come from, where they do by themselves."""
        del request
        order = get_object_or_404(Order.objects.only("id", "status"), pk=pk)
        links = {"Link": f'<{SOCKET.format(order=pk)}>; rel="monitor"'}
        told = toggles.choice("updates") == "websocket"
        return Response(StatusSerializer(order).data, headers=links if told else None)

    def post(self, request: Request, pk: int) -> Response:
        """Move the order on: from placed to paid to shipped, or to cancelled before that; staff's work."""
        demand_staff(request)
        wanted = self.get_serializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        try:
            order = services.move_order(pk, wanted.validated_data["status"])
        except Order.DoesNotExist as error:
            raise Http404 from error
        except services.WrongMoveError as error:
            raise Conflict(str(error)) from error
        return Response(StatusSerializer(order).data)
