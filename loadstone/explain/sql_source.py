"""Which line of code sent a statement, where the app says so in a comment of the statement.

The form is that of sqlcommenter (https://google.github.io/sqlcommenter/spec/): a comment of
`key='value'` pairs, values URL-encoded. Read are `file` and `line`, OpenTelemetry's
`code.filepath` and `code.lineno` (also as `code_filepath`), and Rails' `source_location`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote

LONGEST = 300
_COMMENT = re.compile(r"/\*(.*?)\*/", re.DOTALL)
_PAIR = re.compile(r"([\w.%-]+)\s*=\s*'((?:[^'\\]|\\.)*)'")
_PLACE = re.compile(r"(?P<file>[^\x00-\x1f:]+):(?P<line>[1-9]\d{0,6})")
_FILES, _LINES = ("file", "code.filepath", "code_filepath"), ("line", "code.lineno", "code_lineno")


def source_of(statements: Iterable[str]) -> str:
    """Return the `FILE:LINE` that all of the statements name; empty where they name none, or several."""
    places = {_place(sql) for sql in statements}
    return places.pop() if len(places) == 1 else ""


def _place(sql: str) -> str:
    if "/*" not in sql:
        return ""
    pairs: dict[str, str] = {}
    for comment in _COMMENT.findall(sql):
        pairs |= {unquote(key): unquote(value.replace("\\'", "'")) for key, value in _PAIR.findall(comment)}
    told = pairs.get("source_location", "")
    if not told:
        file, line = (next((pairs[key] for key in keys if key in pairs), "") for keys in (_FILES, _LINES))
        told = f"{file}:{line}"
    match = _PLACE.match(told)
    return f"{match['file']}:{match['line']}" if match and len(told) <= LONGEST else ""
