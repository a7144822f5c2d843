"""Orderings that never leave two rows in an arbitrary order."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework.filters import OrderingFilter
from rest_framework.request import Request
from rest_framework.views import APIView


class StableOrdering(OrderingFilter):
    """`?ordering=` that ends with the primary key, in the direction of the first field.

    Views name the words that clients may use in `ordering_fields`, and in
    `default_ordering` what holds without one.
    """

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: APIView) -> list[str]:
        """Return the ordering's fields, the primary key last."""
        wanted = super().get_ordering(request, queryset, view) or [getattr(view, "default_ordering", "id")]
        fields = [str(field) for field in wanted if str(field).removeprefix("-") != "id"]
        first = fields[0] if fields else str(wanted[0])
        return [*fields, "-id" if first.startswith("-") else "id"]
