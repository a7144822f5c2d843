"""Pages of a list (toggle `pagination`), all with the envelope count, next, previous, results."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.utils.urls import remove_query_param, replace_query_param

from core import toggles
from core.counting import COUNTS
from core.envelope import Envelope, read_size
from core.keyset import KeysetPagination
from core.parameters import read_number


class OffsetWindow(Envelope):
    """A window of rows found by skipping those before it.

    One row more than asked for tells whether there is a next window, whatever
    the toggle `count` says about the total.
    """

    limit = offset = 0
    has_next = False

    def read_page(self, queryset: QuerySet[Any], request: Request) -> list[Any]:
        """Return the window's rows."""
        self.limit = read_size(request)
        self.offset = self.read_offset(request)
        self.count = COUNTS[toggles.choice("count")](queryset)
        rows = list(queryset[self.offset : self.offset + self.limit + 1])
        self.has_next = len(rows) > self.limit
        return rows[: self.limit]

    def next_link(self) -> str | None:
        """Return the URL of the next window, if there is one."""
        return self.link(self.offset + self.limit) if self.has_next else None

    def previous_link(self) -> str | None:
        """Return the URL of the window before, if there is one."""
        return self.link(max(0, self.offset - self.limit)) if self.offset else None

    def read_offset(self, request: Request) -> int:
        """Return how many rows come before the window."""
        raise NotImplementedError

    def link(self, offset: int) -> str:
        """Return the URL of the window at `offset`."""
        raise NotImplementedError


class PagePagination(OffsetWindow):
    """`?page=3`."""

    position = ("page", "integer")

    def read_offset(self, request: Request) -> int:
        """Return how many rows come before the page."""
        return (read_number(request, "page", 1, least=1) - 1) * self.limit

    def link(self, offset: int) -> str:
        """Return the URL of the page at `offset`."""
        page = offset // self.limit + 1
        return (
            remove_query_param(self.url, "page") if page == 1 else replace_query_param(self.url, "page", page)
        )


class LimitOffsetPagination(OffsetWindow):
    """`?offset=40`."""

    position = ("offset", "integer")

    def read_offset(self, request: Request) -> int:
        """Return the offset asked for."""
        return read_number(request, "offset", 0, least=0)

    def link(self, offset: int) -> str:
        """Return the URL of the window at `offset`."""
        if not offset:
            return remove_query_param(self.url, "offset")
        return replace_query_param(self.url, "offset", offset)


PAGINATIONS: dict[str, type[BasePagination] | None] = {
    "none": None,
    "page": PagePagination,
    "limit_offset": LimitOffsetPagination,
    "cursor": KeysetPagination,
}
