"""The catalogue's JSON, by REST framework's model serializers (choice `serializer=model`)."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from catalogue.models import Brand, Category, Product, Review
from customers.models import Customer

MOST_TITLE, MOST_BODY = 120, 5_000


class BrandSerializer(serializers.ModelSerializer[Brand]):
    """A brand's name and address."""

    class Meta:
        model = Brand
        fields = ("id", "name", "slug")


class CategorySerializer(serializers.ModelSerializer[Category]):
    """A category's name and address."""

    class Meta:
        model = Category
        fields = ("id", "name", "slug")


class CategoryNodeSerializer(serializers.ModelSerializer[Category]):
    """A category with its place in the tree."""

    class Meta:
        model = Category
        fields = ("id", "name", "slug", "parent")


class ProductSerializer(serializers.ModelSerializer[Product]):
    """A product as lists show it."""

    rating = serializers.DecimalField(max_digits=3, decimal_places=2, read_only=True)
    review_count = serializers.IntegerField(read_only=True)
    brand = BrandSerializer(read_only=True)
    category = CategorySerializer(read_only=True)
    tags = serializers.ListField(child=serializers.CharField(), source="tag_names", read_only=True)

    class Meta:
        model = Product
        fields: tuple[str, ...] = (
            "id",
            "name",
            "slug",
            "price",
            "stock",
            "rating",
            "review_count",
            "created_at",
            "brand",
            "category",
            "tags",
        )


class ReviewSerializer(serializers.ModelSerializer[Review]):
    """A review with its author's name."""

    product = serializers.IntegerField(source="product_id", read_only=True)
    author = serializers.CharField(source="author.name", read_only=True)

    class Meta:
        model = Review
        fields = ("id", "product", "author", "rating", "title", "body", "is_verified", "created_at")


class NewReviewSerializer(serializers.Serializer[Any]):
    """What a client sends to review a product."""

    author = serializers.PrimaryKeyRelatedField(queryset=Customer.objects.all())
    rating = serializers.IntegerField(min_value=1, max_value=5)
    title = serializers.CharField(max_length=MOST_TITLE)
    body = serializers.CharField(max_length=MOST_BODY)


class ProductPageSerializer(ProductSerializer):
    """What a product's page shows: a description for the API's schema."""

    breadcrumb = CategorySerializer(many=True)
    rating_histogram = serializers.DictField(child=serializers.IntegerField())
    latest_reviews = ReviewSerializer(many=True)

    class Meta(ProductSerializer.Meta):
        fields = (
            *ProductSerializer.Meta.fields,
            "description",
            "breadcrumb",
            "rating_histogram",
            "latest_reviews",
        )
