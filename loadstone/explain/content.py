"""What a body is, once its encoding is undone: JSON, text, or bytes."""

from __future__ import annotations

import json
import zlib
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import brotli  # type: ignore[import-untyped]  # it has no stubs

GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
RAW_DEFLATE = -zlib.MAX_WBITS
_TEXTUAL = frozenset(
    {"application/javascript", "application/xml", "application/x-www-form-urlencoded", "image/svg+xml"}
)


class _NotJson:
    """Marks a body that is no JSON; unequal to every value."""


NOT_JSON: Final = _NotJson()


class Constant(str):
    """NaN or an infinity, which some writers put into JSON: equal to itself, and to no string."""

    __slots__ = ()


def media_type(content_type: str) -> str:
    """Return a content type without its parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


def decode_body(body: bytes, content_encoding: str) -> bytes:
    """Undo content encodings; a body that is not so encoded is returned as it is.

    HTTP clients often decode a body and leave the header as it was.
    """
    for encoding in reversed(content_encoding.lower().split(",")):
        body = _decode_once(body, encoding.strip())
    return body


def parse_json(body: bytes, media: str) -> Any:  # noqa: ANN401 - JSON may be anything
    """Return the value of a JSON body with exact numbers, or `NOT_JSON`."""
    if not (media.endswith("json") or (not media and body[:1] in {b"{", b"["})):
        return NOT_JSON
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=Constant)
    except (ValueError, RecursionError, InvalidOperation):
        return NOT_JSON


def text_of(body: bytes, media: str, content_type: str) -> str | None:
    """Return the body as text, or None for a body that is not text."""
    named = media.startswith("text/") or media in _TEXTUAL or media.endswith(("+xml", "json"))
    if not named and b"\0" in body:
        return None
    charset = content_type.lower().partition("charset=")[2].partition(";")[0].strip(" \"'") or "utf-8"
    try:
        return body.decode(charset)
    except (UnicodeDecodeError, LookupError):
        return body.decode("utf-8", "backslashreplace") if named else None


def _decode_once(body: bytes, encoding: str) -> bytes:
    try:
        if encoding in {"gzip", "x-gzip"}:
            return _inflate(body, GZIP_OR_ZLIB)
        if encoding == "deflate":
            return _inflate(body, RAW_DEFLATE if body[:1] != b"\x78" else GZIP_OR_ZLIB)
        if encoding == "br":
            decoded: bytes = brotli.decompress(body)
            return decoded
    except (zlib.error, EOFError, brotli.error):
        return body
    return body


def _inflate(body: bytes, window: int) -> bytes:
    """Inflate every member of a gzip or zlib body; raises `EOFError` when it is cut short."""
    out = bytearray()
    while body:
        member = zlib.decompressobj(window)
        out += member.decompress(body)
        if not member.eof:
            raise EOFError
        body = member.unused_data
    return bytes(out)
