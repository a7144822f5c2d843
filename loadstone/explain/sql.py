"""SQL made comparable: literals out, lists collapsed, one spelling of white space."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from loadstone.explain.sql_shape import join, simplify
from loadstone.explain.sql_tokens import TokenKind, tokenize
from loadstone.explain.words import words

FINGERPRINT_DIGITS = 16
CACHED_TEXTS = 1024
REPEATS_WORTH_NAMING = 5

_CONTROL = words(
    "ABORT BEGIN CLOSE COMMIT DEALLOCATE DISCARD END LISTEN RELEASE RESET ROLLBACK SAVEPOINT SET SHOW"
    " START UNLISTEN"
)
_DATA_VERBS = words("DELETE INSERT MERGE SELECT TABLE UPDATE VALUES")


class Counted(Protocol):
    """What `n_plus_one` needs to know of a statement."""

    @property
    def sql(self) -> str:
        """The statement's text."""

    @property
    def control(self) -> bool:
        """Whether it only steers the session."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """A statement that one request sent again and again, with other values."""

    fingerprint: str
    normalised: str
    calls: int


@lru_cache(maxsize=CACHED_TEXTS)
def normalise(sql: str) -> str:
    """Return `sql` with literals as `?`, lists of literals as one, comments gone, case kept.

    Cursor and savepoint names made up by drivers have their digits masked. Normalising
    twice changes nothing.
    """
    return join(simplify(sql))


@lru_cache(maxsize=CACHED_TEXTS)
def fingerprint(sql: str) -> str:
    """Return 16 hex digits, equal for texts that differ only in literals, layout or case of words."""
    parts = [token.text if token.kind is TokenKind.QUOTED else token.text.lower() for token in simplify(sql)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:FINGERPRINT_DIGITS]


def kind_of(sql: str) -> str:
    """Return the statement's verb in lower case (`select`, `insert`, ...), or nothing.

    A `WITH` query is named by the verb that follows its common table expressions.
    """
    depth, in_with = 0, False
    for token in tokenize(sql):
        if token.kind is TokenKind.MARK:
            depth += (token.text == "(") - (token.text == ")")
        elif token.word == "WITH":
            in_with = True
        elif token.word and (not in_with or (depth == 0 and token.word in _DATA_VERBS)):
            return token.text.lower()
    return ""


def is_control(sql: str) -> bool:
    """Tell whether a statement steers the session or transaction instead of asking for data."""
    first = [token.word for token, _ in zip(tokenize(sql), range(2), strict=False)]
    return not first or first[0] in _CONTROL or first == ["PREPARE", "TRANSACTION"]


def n_plus_one(statements: Iterable[Counted], at_least: int = REPEATS_WORTH_NAMING) -> list[Repeated]:
    """Return what one request's statements repeat at least so often, most frequent first."""
    texts: dict[str, str] = {}
    calls: Counter[str] = Counter()
    for statement in statements:
        if not statement.control:
            key = fingerprint(statement.sql)
            texts.setdefault(key, statement.sql)
            calls[key] += 1
    return [
        Repeated(fingerprint=key, normalised=normalise(texts[key]), calls=count)
        for key, count in calls.most_common()
        if count >= at_least
    ]
