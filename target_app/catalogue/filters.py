"""Filters that lists take, checked."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet

from catalogue import selectors
from catalogue.models import Product, Review


class ProductFilters(django_filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """`?category=&brand=&tag=&min_price=&max_price=&min_rating=&in_stock=`."""

    category = django_filters.CharFilter(method="within_category", label="category's slug, with all below it")
    brand = django_filters.CharFilter(method="made_by", label="brand's slug")
    tag = django_filters.CharFilter(field_name="tags__slug")
    min_price = django_filters.NumberFilter(field_name="price", lookup_expr="gte")
    max_price = django_filters.NumberFilter(field_name="price", lookup_expr="lte")
    min_rating = django_filters.NumberFilter(field_name="rating", lookup_expr="gte")
    in_stock = django_filters.BooleanFilter(method="available", label="only what is in stock")

    class Meta:
        model = Product
        fields = ()

    def within_category(self, rows: QuerySet[Product], _name: str, slug: str) -> QuerySet[Product]:
        """Keep products of a category and of all below it; a leaf is compared by equality."""
        ids = selectors.categories_within(slug)
        return rows.filter(category=ids[0]) if len(ids) == 1 else rows.filter(category__in=ids)

    def made_by(self, rows: QuerySet[Product], _name: str, slug: str) -> QuerySet[Product]:
        """Keep a brand's products, compared by its id: through a join no index could give their order."""
        return rows.filter(brand=selectors.brand_id(slug))

    def available(self, rows: QuerySet[Product], _name: str, wanted: bool) -> QuerySet[Product]:
        """Keep what is in stock, or what is sold out."""
        return rows.filter(stock__gt=0) if wanted else rows.filter(stock=0)


class ReviewFilters(django_filters.FilterSet):  # type: ignore[misc]  # django-filter has no types
    """`?rating=&min_rating=&verified=`."""

    min_rating = django_filters.NumberFilter(field_name="rating", lookup_expr="gte")
    verified = django_filters.BooleanFilter(field_name="is_verified")

    class Meta:
        model = Review
        fields = ("rating",)
