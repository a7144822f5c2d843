"""The base of list views: paginated as the toggle says."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model
from rest_framework.generics import ListAPIView
from rest_framework.pagination import BasePagination

from core import toggles
from core.pagination import PAGINATIONS

_Row = TypeVar("_Row", bound=Model)


class ToggledListView(ListAPIView[_Row]):
    """A list whose pagination is chosen by the toggle `pagination`."""

    default_ordering = "id"

    @property
    def paginator(self) -> BasePagination | None:
        """Return this request's paginator, or None where lists are sent whole."""
        if not hasattr(self, "_paginator"):
            chosen = PAGINATIONS[toggles.choice("pagination")]
            self._paginator: Any = chosen() if chosen else None
        paginator: BasePagination | None = self._paginator
        return paginator
