"""Differences for people: the place, both sides shortened, and a short diff."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

SHOWN_CHARACTERS = 120
SHOWN_BYTES = 24
CONTEXT_LINES = 3
SIDE_LINES = 20


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two bodies first differ, and how."""

    path: str
    before: str
    after: str
    diff: str = ""


def text_difference(before: str, after: str) -> Difference | None:
    """Return the first line that differs, None when the texts have the same lines."""
    lines = before.splitlines(), after.splitlines()
    at = _common_start(*lines)
    if at == len(lines[0]) == len(lines[1]):
        return None
    one, other = (side[at] if at < len(side) else None for side in lines)
    column = _common_start(one or "", other or "")
    return Difference(
        f"line {at + 1}",
        "(absent)" if one is None else shorten(one, column),
        "(absent)" if other is None else shorten(other, column),
        unified(*lines),
    )


def bytes_difference(before: bytes, after: bytes) -> Difference:
    """Return the first byte that differs, with some bytes from there in hexadecimal."""
    at = _common_bytes(before, after)
    return Difference(f"byte {at}", _hex(before, at), _hex(after, at))


def shorten(text: str, column: int = 0) -> str:
    """Return at most `SHOWN_CHARACTERS` of a text, around a column."""
    start = max(0, min(column - SHOWN_CHARACTERS // 3, len(text) - SHOWN_CHARACTERS))
    end = start + SHOWN_CHARACTERS
    return ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")


def unified(before: Sequence[str], after: Sequence[str]) -> str:
    """Return a unified diff around the first difference, of a bounded number of bounded lines.

    Equal ends are cut off first, and no more than `SIDE_LINES` of each side are
    looked at, so that bodies of megabytes cost no more than small ones.
    """
    at = _common_start(before, after)
    column = _common_start(*(side[at] if at < len(side) else "" for side in (before, after)))
    one, other = (_window(side, at, column) for side in _without_common_end(before, after))
    lines = difflib.unified_diff(one, other, "before", "after", n=CONTEXT_LINES, lineterm="")
    # Line numbers within the window would mislead.
    return "\n".join("@@" if line.startswith("@@") else line for line in lines)


def _window(side: Sequence[str], at: int, column: int) -> list[str]:
    """Return shortened lines from a little before line `at`, which is shown around `column`."""
    start = max(0, at - CONTEXT_LINES)
    end = start + SIDE_LINES
    shown = [shorten(line, column if start + i == at else 0) for i, line in enumerate(side[start:end])]
    return [*shown, f"… {len(side) - end} more lines"] if len(side) > end else shown


def _without_common_end(before: Sequence[str], after: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    shorter = min(len(before), len(after)) - _common_start(before, after)
    same = 0
    while same < shorter and before[-1 - same] == after[-1 - same]:
        same += 1
    dropped = max(0, same - CONTEXT_LINES)
    return before[: len(before) - dropped], after[: len(after) - dropped]


def _common_start(before: Sequence[str], after: Sequence[str]) -> int:
    for index, (one, other) in enumerate(zip(before, after, strict=False)):
        if one != other:
            return index
    return min(len(before), len(after))


def _common_bytes(before: bytes, after: bytes) -> int:
    """Return the length of the common prefix, by bisection: comparing slices is fast."""
    low, high = 0, min(len(before), len(after))
    while low < high:
        middle = (low + high + 1) // 2
        if before[low:middle] == after[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _hex(body: bytes, at: int) -> str:
    shown = body[at : at + SHOWN_BYTES].hex(" ") or "(end)"
    return f"{shown}{' …' if len(body) > at + SHOWN_BYTES else ''} ({len(body)} bytes)"
