"""JSON of customers."""

from __future__ import annotations

from rest_framework import serializers

from customers.models import Customer


class CustomerSerializer(serializers.ModelSerializer[Customer]):
    """What anyone may know of a customer: no address."""

    class Meta:
        model = Customer
        fields = ("id", "name", "country")
