"""Rules on exact facts as people write them: `queries`, `response_bytes+10%`, `GET /products: queries<=5`.

    rule  = [ ENDPOINT ": " ] FACT [ "+" ALLOWANCE | ( "<" | "<=" ) LIMIT ]

A fact alone may not rise above the base, `+` allows it a share of the base or so much per
request, and a limit holds for the head whatever the base does. Facts are means per request.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from loadstone.config.load import suggest
from loadstone.config.locate import misread
from loadstone.verdict.exact import BY_NAME

DEFAULT = ("queries", "queries_repeat")
"""What may not rise where nothing is said."""
_SIZES = {"": 1.0, "B": 1.0, "kB": 1e3, "MB": 1e6}
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*(%|B|kB|MB)?")
_OPERATOR = re.compile(r"<=|<|\+")


@dataclass(frozen=True, slots=True)
class ExactRule:
    """What a fact of one endpoint, or of each, may be."""

    text: str
    endpoint: str | None
    fact: str
    operator: str = "+"
    """`+`: above the base by `amount`; `<` or `<=`: `amount` itself."""
    amount: float = 0.0
    share: bool = False
    """Whether the amount is a share of the base."""
    named: bool = True
    """Whether somebody wrote it; what is only the default is not missed where it cannot be counted."""

    @property
    def relative(self) -> bool:
        """Whether it compares with the base."""
        return self.operator == "+"

    def holds(self, before: float | None, after: float) -> bool:
        """Tell whether a fact's means per request keep the rule; `before` counts only where relative."""
        if not self.relative:
            return after < self.amount or (self.operator == "<=" and after == self.amount)
        base = before or 0.0
        slack = 1e-9 * max(1.0, abs(base))  # means of whole numbers, computed with rounding
        return after <= base + (base * self.amount if self.share else self.amount) + slack


def parse_exact(text: str) -> ExactRule:
    """Return the rule; raises `ConfigurationError` with the column, the problem and what to write."""
    head, separator, rest = text.rpartition(": ")
    at = len(head) + len(separator)
    operator = _OPERATOR.search(rest)
    fact = (rest[: operator.start()] if operator else rest).strip()
    if fact not in BY_NAME:
        raise misread("rule", text, at, f"there is no fact {fact!r}", suggest(fact, list(BY_NAME)))
    endpoint = head.strip() if separator else None
    if operator is None:
        return ExactRule(text.strip(), endpoint, fact)
    written = rest[operator.end() :].strip()
    amount, unit = parse_amount(written)
    wrong = amount is None or (unit == "%" and operator[0] != "+")
    if amount is None or wrong or (unit not in {"", "%"} and fact != "response_bytes"):
        example = "+10% or +2" if operator[0] == "+" else "<=20kB" if fact == "response_bytes" else "<=5"
        problem = f"{written!r} is no amount of {fact}" if written else "there is no amount"
        raise misread("rule", text, at + operator.end(), problem, f"write it like {fact}{example}")
    return ExactRule(text.strip(), endpoint, fact, operator[0], amount, unit == "%")


def parse_amount(written: str) -> tuple[float | None, str]:
    """Return an amount and its unit (`%` for a share as a fraction); None where it is none."""
    match = _AMOUNT.fullmatch(written.strip())
    if match is None:
        return None, ""
    unit = match[2] or ""
    return float(match[1]) * (0.01 if unit == "%" else _SIZES[unit]), unit


def default_rules() -> tuple[ExactRule, ...]:
    """Return the rules that hold where none are written."""
    return tuple(ExactRule(fact, None, fact, named=False) for fact in DEFAULT)
