"""Heads of answers, read when somebody asks for them."""

from __future__ import annotations

_HEAD_END = b"\r\n\r\n"
_INTERIM = b"HTTP/1.1 1"


def final_head(data: bytes) -> tuple[int, int]:
    """Return where the head of the final answer in `data` starts and ends; -1 where the end is not there yet.

    Interim answers (1xx) come before it; what follows is the body.
    """
    start = 0
    while True:
        end = data.find(_HEAD_END, start)
        if end < 0 or not data.startswith(_INTERIM, start):
            return start, end
        start = end + len(_HEAD_END)


def header_fields(data: bytes) -> list[tuple[str, str]]:
    """Return names, in lower case, and values of the final head at the start of `data`."""
    start, end = final_head(data)
    fields = []
    for line in data[start : end if end >= 0 else None].split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        fields.append((name.decode("latin-1").lower(), value.strip(b" \t").decode("latin-1")))
    return fields
