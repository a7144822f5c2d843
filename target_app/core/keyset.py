"""Keyset pagination: a page starts after a row's values, not after a number of rows.

The ordering's fields, of which the last is unique, are compared as one SQL row
value, `(price, id) > (9.99, 42)`: an index in that order finds the place at once,
however deep. See Winand, "We need tool support for keyset pagination".
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.db.models import BooleanField, F, Field, Func, Model, QuerySet, Value
from django.db.models.lookups import GreaterThan, LessThan
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.utils.urls import remove_query_param, replace_query_param

from core.envelope import Envelope, read_size

CURSOR = "cursor"
LONGEST_CURSOR = 400
WRONG_CURSOR = "cursor is invalid: follow the links of this list."


@dataclass(frozen=True, slots=True)
class Place:
    """A row's values of the ordering's fields, and which way to go from there."""

    values: tuple[str, ...]
    backwards: bool = False

    def encode(self) -> str:
        """Return the place as an opaque word."""
        text = json.dumps([int(self.backwards), *self.values], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, word: str, fields: int) -> Place:
        """Read an encoded place of so many fields; raises `NotFound`."""
        try:
            parts = json.loads(base64.urlsafe_b64decode(word[:LONGEST_CURSOR] + "=" * (-len(word) % 4)))
        except ValueError as error:
            raise NotFound(WRONG_CURSOR) from error
        whole = isinstance(parts, list) and len(parts) == fields + 1 and parts[0] in (0, 1)
        if not whole or not all(isinstance(part, str) for part in parts[1:]):
            raise NotFound(WRONG_CURSOR)
        return cls(tuple(parts[1:]), bool(parts[0]))


class KeysetPagination(Envelope):
    """`?cursor=...`, followed through the links `next` and `previous`; there is no count to give."""

    position = (CURSOR, "string")
    page: list[Any]
    has_next = has_previous = False

    def read_page(self, queryset: QuerySet[Any], request: Request) -> list[Any]:
        """Return the page's rows."""
        size = read_size(request)
        self.ordering = [str(field) for field in queryset.query.order_by]
        word = request.query_params.get(CURSOR)
        place = Place.decode(word, len(self.ordering)) if word else None
        backwards = place is not None and place.backwards
        rows = list(seek(queryset, self.ordering, place)[: size + 1])
        more = len(rows) > size
        self.page = rows[:size][::-1] if backwards else rows[:size]
        self.has_next = backwards or more
        self.has_previous = more if backwards else place is not None
        return self.page

    def next_link(self) -> str | None:
        """Return the URL of the next page, if there is one."""
        return self._link(self.page[-1], backwards=False) if self.page and self.has_next else None

    def previous_link(self) -> str | None:
        """Return the URL of the page before, if there is one."""
        return self._link(self.page[0], backwards=True) if self.page and self.has_previous else None

    def _link(self, row: Model, *, backwards: bool) -> str:
        place = Place(tuple(_text(row, field.removeprefix("-")) for field in self.ordering), backwards)
        return replace_query_param(remove_query_param(self.url, CURSOR), CURSOR, place.encode())


def seek(queryset: QuerySet[Any], ordering: list[str], place: Place | None) -> QuerySet[Any]:
    """Return the rows beyond `place`, in its direction.

    Args:
        queryset: ordered by `ordering`.
        ordering: fields, all in one direction.
        place: where to go on; None: at the start.
    """
    if place is None:
        return queryset
    names = [field.removeprefix("-") for field in ordering]
    descending = ordering[0].startswith("-") is not place.backwards
    try:
        values = [
            Value(_field(queryset, name).to_python(value))
            for name, value in zip(names, place.values, strict=True)
        ]
    except ValidationError as error:
        raise NotFound(WRONG_CURSOR) from error
    row, bound = _row(*map(F, names)), _row(*values)
    beyond = LessThan(row, bound) if descending else GreaterThan(row, bound)
    return queryset.filter(beyond).order_by(*(f"-{name}" if descending else name for name in names))


class Row(Func):
    """Several values as one."""

    function = "ROW"

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:  # noqa: ANN401 - as Django's
        """Leave the word out, which SQLite does not know."""
        return super().as_sql(compiler, connection, template="(%(expressions)s)", **context)


def _row(*parts: F | Value) -> Func:
    return Row(*parts, output_field=BooleanField())


def _field(queryset: QuerySet[Any], name: str) -> Field[Any, Any]:
    annotation = queryset.query.annotations.get(name)
    field: Any = annotation.output_field if annotation is not None else queryset.model._meta.get_field(name)
    return cast("Field[Any, Any]", field)


def _text(row: Model, name: str) -> str:
    value = getattr(row, name)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
