"""Text of others, made harmless to look at: names come from scenarios, payloads and databases."""

from __future__ import annotations

import unicodedata

NAME_LENGTH = 120
TEXT_LENGTH = 4_000
_NAMES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def visible(text: str, *, lines: bool = False) -> str:
    """Return `text` with control, bidirectional and separator characters written out.

    Args:
        text: anything.
        lines: keep line breaks and tabs, for diffs and logs.
    """
    return "".join(char if _harmless(char, lines=lines) else _written_out(char) for char in text)


def name(text: str, length: int = NAME_LENGTH) -> str:
    """Return `text` harmless, on one line and at most about `length` long, saying so where it was cut."""
    return _cut(visible(text[: 2 * length]), length, len(text))


def block(text: str, length: int = TEXT_LENGTH) -> str:
    """Return `text` harmless, with its lines, at most about `length` long."""
    return _cut(visible(text[: 2 * length], lines=True), length, len(text))


def _cut(text: str, length: int, full: int) -> str:
    return text if len(text) <= length else f"{text[:length]}… ({full:,} characters)"


def _harmless(char: str, *, lines: bool) -> bool:
    if lines and char in "\n\t":
        return True
    if char in _BIDI:
        return False
    return unicodedata.category(char) not in {"Cc", "Cs", "Co", "Zl", "Zp"}


def _written_out(char: str) -> str:
    return _NAMES.get(char) or f"\\u{ord(char):04x}"
