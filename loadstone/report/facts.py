"""Exact facts side by side, and what became of every statement."""

from __future__ import annotations

from dataclasses import dataclass

from loadstone.record.result import FactChange, ProbeFacts, Result
from loadstone.report import selection

MOST_STATEMENTS, MOST_LISTS = 40, 12
"""Statements shown of an endpoint, and endpoints of which they are shown; all are in the JSON."""


@dataclass(frozen=True)
class Statement:
    """One SQL statement and its calls per request on both sides."""

    sql: str
    before: float
    after: float

    @property
    def change(self) -> str:
        """What became of the statement."""
        if self.before == self.after:
            return "same"
        if not self.after:
            return "gone"
        return "changed" if self.before else "new"


@dataclass(frozen=True)
class Fact:
    """Exact facts of one endpoint on two variants."""

    endpoint: str
    label: str
    changes: dict[str, FactChange]
    """By the fact's name."""
    statements: list[Statement]


def make_fact(result: Result, endpoint: str, before: ProbeFacts, after: ProbeFacts) -> Fact:
    """Return the facts of one endpoint with its statements matched by their text."""
    calls = [dict(side.statements) for side in (before, after)]
    both = dict.fromkeys([*calls[0], *calls[1]])
    statements = [Statement(sql, calls[0].get(sql, 0.0), calls[1].get(sql, 0.0)) for sql in both]
    return Fact(
        endpoint=endpoint,
        label=selection.label_of(result, after.variant) if selection.several(result) else "",
        changes=selection.exact(result, endpoint, after.variant),
        statements=sorted(statements, key=lambda one: -max(one.before, one.after)),
    )
