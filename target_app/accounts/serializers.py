"""JSON of logins and accounts."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.selectors import Account
from orders.models import Order


class LoginSerializer(serializers.Serializer[Any]):
    """What a client sends to log in."""

    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=128, trim_whitespace=False)


class OwnOrderSerializer(serializers.ModelSerializer[Order]):
    """An order as its customer's account lists it."""

    class Meta:
        model = Order
        fields = ("id", "status", "total")


class AccountSerializer(serializers.Serializer[Account]):
    """What a customer sees of itself."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    country = serializers.CharField()
    orders = OwnOrderSerializer(many=True, source="latest_orders")
