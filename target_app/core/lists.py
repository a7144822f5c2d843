"""The base of list views: paginated as the toggle says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db.models import Model
from rest_framework.generics import ListAPIView
from rest_framework.pagination import BasePagination
from rest_framework.serializers import BaseSerializer

from core import toggles
from core.pagination import PAGINATIONS

_Row = TypeVar("_Row", bound=Model)


class ToggledListView(ListAPIView[_Row]):
    """A list whose pagination is chosen by the toggle `pagination`."""

    default_ordering = "id"
    serializers: Mapping[str, type[BaseSerializer[Any]]] = {}
    """By the choices of the toggle `serializer`; none: there is `serializer_class` alone."""

    def get_serializer_class(self) -> type[BaseSerializer[_Row]]:
        """Return the serializer that the toggle chooses; the API is described by the first."""
        if not self.serializers or getattr(self, "swagger_fake_view", False):
            return super().get_serializer_class()
        return self.serializers[toggles.choice("serializer")]

    @property
    def paginator(self) -> BasePagination | None:
        """Return this request's paginator, or None where lists are sent whole."""
        if not hasattr(self, "_paginator"):
            chosen = PAGINATIONS[toggles.choice("pagination")]
            self._paginator: Any = chosen() if chosen else None
        paginator: BasePagination | None = self._paginator
        return paginator
