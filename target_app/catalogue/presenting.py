"""Which serializers write the catalogue's JSON (toggle `serializer`)."""

from __future__ import annotations

from typing import Any

from rest_framework.serializers import BaseSerializer

from catalogue.plain import PlainNamed, PlainProduct, PlainReview
from catalogue.selectors import Page
from catalogue.serializers import CategorySerializer, ProductSerializer, ReviewSerializer
from catalogue.shapes import NamedShape, ProductShape, ReviewShape
from core import toggles

Serializers = dict[str, type[BaseSerializer[Any]]]
PRODUCTS: Serializers = {"model": ProductSerializer, "plain": PlainProduct, "values": ProductShape}
REVIEWS: Serializers = {"model": ReviewSerializer, "plain": PlainReview, "values": ReviewShape}
CATEGORIES: Serializers = {"model": CategorySerializer, "plain": PlainNamed, "values": NamedShape}


def page(shown: Page) -> dict[str, Any]:
    """Return the JSON of a product's page."""
    chosen = toggles.choice("serializer")
    return {
        **PRODUCTS[chosen](shown.product).data,
        "description": shown.product.description,
        "breadcrumb": CATEGORIES[chosen](shown.breadcrumb, many=True).data,
        "rating_histogram": shown.rating_histogram,
        "latest_reviews": REVIEWS[chosen](shown.latest_reviews, many=True).data,
    }
