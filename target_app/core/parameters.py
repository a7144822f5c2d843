"""Reading parameters of the query, checked."""

from __future__ import annotations

from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request

LARGEST_NUMBER = 2**31
LONGEST_TEXT = 200


def read_number(request: Request, name: str, default: int, *, least: int) -> int:
    """Return a whole number of the query; raises `NotFound` where it is none, as no such page exists."""
    text = request.query_params.get(name, str(default))
    if text.isascii() and text.isdecimal() and least <= int(text[:12]) < LARGEST_NUMBER:
        return int(text[:12])
    raise NotFound(f"{name} must be a whole number of at least {least}.")


def read_text(request: Request, name: str) -> str:
    """Return a text of the query, empty without one; raises `ValidationError` for what no row can hold."""
    text = request.query_params.get(name, "").strip()
    if "\0" in text or len(text) > LONGEST_TEXT:
        raise ValidationError({name: [f"Write at most {LONGEST_TEXT} characters, none of them NUL."]})
    return text
