"""The catalogue's JSON, written by hand (choice `serializer=values`): a dictionary a row, and no fields."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rest_framework.serializers import BaseSerializer

Shape = dict[str, Any]


class NamedShape(BaseSerializer[Any]):
    """A brand or a category."""

    def to_representation(self, instance: Any) -> Shape:  # noqa: ANN401 - a model or a row
        """Return its name and address."""
        return named(instance)


class ProductShape(BaseSerializer[Any]):
    """A product as lists show it."""

    def to_representation(self, instance: Any) -> Shape:  # noqa: ANN401 - as above
        """Return what is shown of it."""
        return product(instance)


class ReviewShape(BaseSerializer[Any]):
    """A review with its author's name."""

    def to_representation(self, instance: Any) -> Shape:  # noqa: ANN401 - as above
        """Return what is shown of it."""
        return {
            "id": instance.id,
            "product": instance.product_id,
            "author": instance.author.name,
            "rating": instance.rating,
            "title": instance.title,
            "body": instance.body,
            "is_verified": instance.is_verified,
            "created_at": _instant(instance.created_at),
        }


def named(row: Any) -> Shape:  # noqa: ANN401 - as above
    """Return the JSON of a brand or category."""
    return {"id": row.id, "name": row.name, "slug": row.slug}


def product(row: Any) -> Shape:  # noqa: ANN401 - as above
    """Return the JSON of a listed product."""
    return {
        "id": row.id,
        "name": row.name,
        "slug": row.slug,
        "price": f"{row.price:.2f}",
        "stock": row.stock,
        "rating": f"{row.rating:.2f}",
        "review_count": row.review_count,
        "created_at": _instant(row.created_at),
        "brand": named(row.brand),
        "category": named(row.category),
        "tags": row.tag_names,
    }


def _instant(at: datetime) -> str:
    """Return an instant in UTC as REST framework writes it."""
    return at.isoformat().replace("+00:00", "Z")
