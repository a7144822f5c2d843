"""The catalogue's JSON."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from catalogue import selectors
from catalogue.models import Brand, Category, Product, Review, Tag


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


class TagSerializer(serializers.ModelSerializer[Tag]):
    """A tag."""

    class Meta:
        model = Tag
        fields = ("name", "slug")


class ProductSerializer(serializers.ModelSerializer[Product]):
    """A product as lists show it."""

    brand = BrandSerializer(read_only=True)
    category = CategorySerializer(read_only=True)
    tags = serializers.SerializerMethodField()

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

    def get_tags(self, product: Product) -> list[str]:
        """Return the tags' names, sorted here: a database would need a query for it."""
        return sorted(tag.name for tag in product.tags.all())


class ReviewSerializer(serializers.ModelSerializer[Review]):
    """A review with its author's name."""

    author = serializers.CharField(source="author.name", read_only=True)

    class Meta:
        model = Review
        fields = ("id", "product", "author", "rating", "title", "body", "is_verified", "created_at")


class ProductPageSerializer(ProductSerializer):
    """A product with everything its page shows."""

    breadcrumb = serializers.SerializerMethodField()
    latest_reviews = serializers.SerializerMethodField()
    rating_histogram = serializers.SerializerMethodField()

    class Meta(ProductSerializer.Meta):
        fields = (
            *ProductSerializer.Meta.fields,
            "description",
            "breadcrumb",
            "rating_histogram",
            "latest_reviews",
        )

    def get_breadcrumb(self, product: Product) -> list[dict[str, Any]]:
        """Return the way from the tree's root to the product's category."""
        return list(CategorySerializer(selectors.breadcrumb(product.category), many=True).data)

    def get_latest_reviews(self, product: Product) -> list[dict[str, Any]]:
        """Return the newest reviews."""
        return list(ReviewSerializer(selectors.latest_reviews(product), many=True).data)

    def get_rating_histogram(self, product: Product) -> dict[str, int]:
        """Return how many reviews gave how many stars."""
        return selectors.rating_histogram(product)
