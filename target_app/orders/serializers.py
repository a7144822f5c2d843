"""JSON of orders and sales."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from catalogue import shapes
from catalogue.plain import PlainProduct
from catalogue.presenting import Serializers
from catalogue.serializers import ProductSerializer
from customers.models import Customer
from orders.models import Confirmation, Order, OrderLine
from orders.selectors import Seller

MOST_LINES = 50
MOST_PIECES = 99


class SellerSerializer(serializers.Serializer[Seller]):
    """A product with what it sold."""

    product = ProductSerializer()
    units = serializers.IntegerField()
    revenue = serializers.DecimalField(max_digits=14, decimal_places=2)


class PlainSeller(serializers.Serializer[Seller]):
    """The same, with its product by fields that are named."""

    product = PlainProduct()
    units = serializers.IntegerField()
    revenue = serializers.DecimalField(max_digits=14, decimal_places=2)


class SellerShape(serializers.BaseSerializer[Seller]):
    """The same, by hand."""

    def to_representation(self, instance: Seller) -> dict[str, Any]:
        """Return what is shown of it."""
        return {
            "product": shapes.product(instance.product),
            "units": instance.units,
            "revenue": f"{instance.revenue:.2f}",
        }


SELLERS: Serializers = {"model": SellerSerializer, "plain": PlainSeller, "values": SellerShape}


class ItemSerializer(serializers.Serializer[Any]):
    """A product and how many of it."""

    product = serializers.IntegerField(min_value=1)
    quantity = serializers.IntegerField(min_value=1, max_value=MOST_PIECES)


class NewOrderSerializer(serializers.Serializer[Any]):
    """What a client sends to place an order."""

    customer = serializers.PrimaryKeyRelatedField(queryset=Customer.objects.all())
    lines = ItemSerializer(many=True, allow_empty=False)

    def validate_lines(self, lines: list[dict[str, int]]) -> list[dict[str, int]]:
        """Refuse too many lines, and a product that is named twice."""
        if len(lines) > MOST_LINES:
            raise serializers.ValidationError(f"An order has at most {MOST_LINES} lines.")
        if len({line["product"] for line in lines}) < len(lines):
            raise serializers.ValidationError("Name each product once.")
        return lines


class OrderLineSerializer(serializers.ModelSerializer[OrderLine]):
    """A line of an order."""

    class Meta:
        model = OrderLine
        fields = ("product", "quantity", "unit_price")


class OrderSerializer(serializers.ModelSerializer[Order]):
    """An order with its lines."""

    lines = OrderLineSerializer(many=True, read_only=True)

    class Meta:
        model = Order
        fields = ("id", "customer", "status", "total", "lines")


class ConfirmationSerializer(serializers.ModelSerializer[Confirmation]):
    """What an order's customer is sent."""

    class Meta:
        model = Confirmation
        fields = ("order", "recipient", "subject", "text")
