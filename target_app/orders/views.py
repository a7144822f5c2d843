"""Endpoints of orders and sales."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Owned, demand_own, is_guarded, is_staffs
from core import toggles
from core.caching import remember
from core.parameters import read_text
from core.waiting import not_yet
from orders import selectors, services
from orders.models import Confirmation, Order
from orders.selectors import Seller
from orders.serializers import (
    SELLERS,
    ConfirmationSerializer,
    NewOrderSerializer,
    OrderSerializer,
    SellerSerializer,
)


class Conflict(APIException):
    """The request is right, but the stock does not allow it."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


class BestSellers(generics.GenericAPIView[Any]):
    """What sold most: in all categories, or with `?category=SLUG` in one and all below it."""

    serializer_class = SellerSerializer
    pagination_class = None
    filter_backends = ()

    def get(self, request: Request) -> Response:
        """Answer the best sellers, best first."""
        category = read_text(request, "category")

        def compute() -> list[dict[str, Any]]:
            sellers: list[Seller] = selectors.best_sellers(category)
            return list(SELLERS[toggles.choice("serializer")](sellers, many=True).data)

        return Response(remember(f"best-sellers:{category}", compute))


class OwnOrder(Owned):
    """A view of one order: its customer's and staff's; to others there is none."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as REST framework's
        """Let in who may; raises `Http404` for the order of another customer."""
        super().initial(request, *args, **kwargs)
        if is_guarded() and not is_staffs(request):
            selectors.demand_order_of(request.user, kwargs["pk"])


class OrderList(Owned, generics.GenericAPIView[Order]):
    """Where orders are placed."""

    serializer_class = NewOrderSerializer

    def post(self, request: Request) -> Response:
        """Place an order."""
        wanted = self.get_serializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        demand_own(request, wanted.validated_data["customer"])
        items = [services.Item(**line) for line in wanted.validated_data["lines"]]
        try:
            order = services.place_order(wanted.validated_data["customer"], items)
        except services.UnknownProductError as error:
            raise ValidationError({"lines": [str(error)]}) from error
        except services.OutOfStockError as error:
            raise Conflict(str(error)) from error
        return Response(OrderSerializer(order).data, status=status.HTTP_201_CREATED)


class OrderPage(OwnOrder, generics.RetrieveAPIView[Order]):
    """One order."""

    serializer_class = OrderSerializer
    filter_backends = ()

    def get_queryset(self) -> QuerySet[Order]:
        """Return all orders."""
        return selectors.orders()


class ConfirmationPage(OwnOrder, generics.GenericAPIView[Confirmation]):
    """What an order's customer is sent."""

    serializer_class = ConfirmationSerializer
    filter_backends = ()
    pagination_class = None

    @extend_schema(responses={status.HTTP_200_OK: ConfirmationSerializer, status.HTTP_202_ACCEPTED: None})
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        """Answer the confirmation, or 202 while it is not made."""
        del request
        found = selectors.confirmation(pk)
        return not_yet() if found is None else Response(ConfirmationSerializer(found).data)


class InvoiceFile(OwnOrder, generics.GenericAPIView[Order]):
    """An order's invoice."""

    serializer_class = OrderSerializer
    filter_backends = ()
    pagination_class = None

    @extend_schema(responses={(status.HTTP_200_OK, "application/pdf"): bytes, status.HTTP_202_ACCEPTED: None})
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        """Answer the invoice as PDF, or 202 while it is not made."""
        del request
        found = selectors.invoice(pk)
        return not_yet() if found is None else HttpResponse(found, content_type="application/pdf")
