"""What the pages of all paginations share: the envelope, the size, the description."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from rest_framework.exceptions import NotFound
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

PAGE_SIZE = "page_size"
LARGEST_NUMBER = 2**31


class Envelope(BasePagination):
    """A page with count, next, previous and results."""

    position: ClassVar[tuple[str, str]]
    """Query parameter that says where a page is, and its type in JSON Schema."""
    count: int | None = None
    url = ""

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


def read_number(request: Request, name: str, default: int, *, least: int) -> int:
    """Return a whole number of the query; raises `NotFound` where it is none, as no such page exists."""
    text = request.query_params.get(name, str(default))
    if text.isascii() and text.isdecimal() and least <= int(text[:12]) < LARGEST_NUMBER:
        return int(text[:12])
    raise NotFound(f"{name} must be a whole number of at least {least}.")
