"""What the pages of all paginations share: the envelope, the size, the description."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.conf import settings
from django.db.models import QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.parameters import read_number

PAGE_SIZE = "page_size"


class Envelope(BasePagination):
    """A page with count, next, previous and results."""

    position: ClassVar[tuple[str, str]]
    """Query parameter that says where a page is, and its type in JSON Schema."""
    count: int | None = None
    url = ""

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: APIView | None = None
    ) -> list[Any]:
        """Return the page's rows."""
        del view
        if not isinstance(queryset, QuerySet):
            raise TypeError("only rows of a database are paginated here")
        self.url = request.build_absolute_uri()
        return self.read_page(queryset, request)

    def read_page(self, queryset: QuerySet[Any], request: Request) -> list[Any]:
        """Return the rows of the page that the request asks for."""
        raise NotImplementedError

    def next_link(self) -> str | None:
        """Return the URL of the next page, if there is one."""
        raise NotImplementedError

    def previous_link(self) -> str | None:
        """Return the URL of the page before, if there is one."""
        raise NotImplementedError

    def get_paginated_response(self, data: Any) -> Response:  # noqa: ANN401 - as REST framework's
        """Return a page of rows within its envelope."""
        links = {"next": self.next_link(), "previous": self.previous_link()}
        return Response({"count": self.count, **links, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Describe the envelope of a page of rows."""
        link = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["count", "next", "previous", "results"],
            "properties": {
                "count": {"type": "integer", "nullable": True},
                "next": link,
                "previous": link,
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """Describe the query parameters."""
        del view
        return [
            {"name": name, "in": "query", "required": False, "schema": {"type": kind}}
            for name, kind in ((PAGE_SIZE, "integer"), self.position)
        ]


def read_size(request: Request) -> int:
    """Return how many rows a page shall have, at most."""
    size = read_number(request, PAGE_SIZE, settings.SHOP_PAGE_SIZE, least=1)
    return min(size, int(settings.SHOP_PAGE_SIZE_MAX))
