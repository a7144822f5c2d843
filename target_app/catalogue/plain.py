"""The catalogue's JSON, by serializers that name each field (choice `serializer=plain`).

A model serializer asks the model for its fields whenever it is made; these know them.
"""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class PlainNamed(serializers.Serializer[Any]):
    """A brand or a category."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    slug = serializers.CharField()


class PlainProduct(serializers.Serializer[Any]):
    """A product as lists show it."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    slug = serializers.CharField()
    price = serializers.DecimalField(max_digits=10, decimal_places=2)
    stock = serializers.IntegerField()
    rating = serializers.DecimalField(max_digits=3, decimal_places=2)
    review_count = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    brand = PlainNamed()
    category = PlainNamed()
    tags = serializers.ListField(child=serializers.CharField(), source="tag_names")


class PlainReview(serializers.Serializer[Any]):
    """A review with its author's name."""

    id = serializers.IntegerField()
    product = serializers.IntegerField(source="product_id")
    author = serializers.CharField(source="author.name")
    rating = serializers.IntegerField()
    title = serializers.CharField()
    body = serializers.CharField()
    is_verified = serializers.BooleanField()
    created_at = serializers.DateTimeField()
