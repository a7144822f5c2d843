"""Saying where a problem is: the line of a TOML file, the column of what was written."""

from __future__ import annotations

import re

from loadstone.errors import ConfigurationError

_TABLE = re.compile(r"^\s*\[{1,2}\s*([^\]]+?)\s*\]{1,2}\s*(?:#.*)?$")


def line_of(text: str, path: tuple[str, ...]) -> int:
    """Return the 1-based line of key `path` in TOML `text`, or of its nearest ancestor.

    Follows table headers and plain `key = value` lines; dotted keys within a table
    are found by their first part. Returns 1 when nothing of the path is there.
    """
    best, best_depth = 1, 0
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        header = _TABLE.match(line)
        if header:
            table = tuple(part.strip().strip("\"'") for part in header[1].split("."))
            here = table
        else:
            key = re.match(r"""^\s*["']?([A-Za-z0-9_.-]+)["']?\s*=""", line)
            if key is None:
                continue
            here = (*table, *key[1].split("."))
        depth = _shared(here, path)
        if depth > best_depth and depth == len(here):
            best, best_depth = number, depth
    return best


def _shared(left: tuple[str, ...], right: tuple[str, ...]) -> int:
    count = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        count += 1
    return count


def misread(what: str, text: str, at: int, problem: str, remedy: str) -> ConfigurationError:
    """Return the error of a small language's parser.

    Args:
        what: the thing that was written, such as "rate".
        text: all of it.
        at: index into `text` at which it could not be read on.
        problem: what is wrong there.
        remedy: what to write.
    """
    before, after = text[:at], text[at:]
    return ConfigurationError(
        f"the {what} {text!r} cannot be read: {problem}",
        cause=f"column {at + 1}: {before}»{after or 'the end'}",
        remedy=remedy,
    )
