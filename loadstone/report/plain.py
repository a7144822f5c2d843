"""Parts of Markdown that reports of load share; texts of others are made harmless."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from loadstone.report import safe


def escaped(text: str) -> str:
    """Return `text` as it may stand in a line or a cell."""
    return safe.visible(text).replace("|", "\\|").replace("<", "&lt;")


def table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """Return a table."""
    rows = "\n".join(f"| {' | '.join(escaped(cell) for cell in row)} |" for row in body)
    return f"| {' | '.join(escaped(name) for name in head)} |\n|{'---|' * len(head)}\n{rows}"


def bullets(lines: Iterable[str]) -> str:
    """Return a list; nothing of no lines."""
    return "\n".join(f"- {escaped(line)}" for line in lines)


def together(parts: Iterable[str]) -> str:
    """Return a text of parts, those that say nothing left out."""
    return "\n\n".join(part for part in parts if part) + "\n"
