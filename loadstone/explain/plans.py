"""Fingerprints of the plans that a database chooses: a flip between generations is worth a warning."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence

from loadstone.errors import LoadstoneError
from loadstone.explain.sql import fingerprint
from loadstone.explain.tap_postgres import Statement

MOST_STATEMENTS = 20
_NUMBERED = re.compile(r"\$\d")
_SHAPE = re.compile(r"(?:->\s+)?([A-Z][A-Za-z ]+?(?: using \S+)?(?: on \S+(?: \S+)?)?)\s*$")
Run = Callable[[str], Sequence[tuple[object, ...]]]
"""Executes a statement and returns its rows."""


def watched(statements: Iterable[Statement], most: int = MOST_STATEMENTS) -> list[str]:
    """Return one example of each reading statement, most frequent first."""
    examples: dict[str, str] = {}
    counts: dict[str, int] = {}
    for statement in statements:
        if statement.kind == "select" and not statement.control and not statement.error:
            print_ = fingerprint(statement.sql)
            examples.setdefault(print_, statement.sql)
            counts[print_] = counts.get(print_, 0) + 1
    order = sorted(examples, key=lambda print_: -counts[print_])
    return [examples[print_] for print_ in order[:most]]


def plans_fingerprint(run: Run, statements: Sequence[str]) -> str:
    """Return a digest of the shapes of the plans chosen for `statements`, or nothing for none.

    A shape is the tree of nodes with the relations and indexes that they use; costs
    and conditions, which differ with the values, are left out. A statement that
    cannot be explained counts as having no plan.
    """
    if not statements:
        return ""
    digest = hashlib.sha256()
    for statement in statements:
        digest.update("\n".join(_shape(run, statement)).encode() + b"\0")
    return digest.hexdigest()[:12]


def _shape(run: Run, statement: str) -> list[str]:
    options = "COSTS OFF, GENERIC_PLAN" if _NUMBERED.search(statement) else "COSTS OFF"
    try:
        rows = run(f"EXPLAIN ({options}) {statement}")
    except LoadstoneError:
        return []
    shape = []
    for (line,) in rows:
        match = _SHAPE.search(str(line))
        if match and ":" not in str(line):
            shape.append(" " * (len(str(line)) - len(str(line).lstrip())) + match[1])
    return shape
