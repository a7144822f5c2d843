"""The words of an SQL text, by the lexical rules of PostgreSQL (standard_conforming_strings on)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple


class TokenKind(Enum):
    """What a token is; comments and white space are none."""

    WORD = "word"
    QUOTED = "quoted identifier"
    LITERAL = "literal"
    NUMBER = "number"
    OPERATOR = "operator"
    MARK = "punctuation"


class Token(NamedTuple):
    """One token, where it starts, and whether white space or a comment stood before it."""

    kind: TokenKind
    text: str
    spaced: bool
    start: int

    @property
    def word(self) -> str:
        """The token in upper case if it is an unquoted word, else empty."""
        return self.text.upper() if self.kind is TokenKind.WORD else ""


_PATTERN = re.compile(
    r"""
      (?P<space> \s+ | --[^\n\r]* )
    | (?P<comment> /\* )
    | (?P<escaped> [eE]'(?: [^'\\]++ | \\. | '' )*+ (?:'|\Z) )
    | (?P<string> (?: [bBxXnN] | [uU]& )?'(?: [^']++ | '' )*+ (?:'|\Z) )
    | (?P<dollar> \$(?P<tag> (?: [^\W\d]\w* )? )\$ )
    | (?P<parameter> \$\d+ )
    | (?P<quoted> (?: [uU]& )?"(?: [^"]++ | "" )*+ (?:"|\Z) )
    | (?P<number>
        0[xXoObB][0-9a-fA-F_]+
      | (?: \d[\d_]*(?: \.(?!\.)[\d_]* )? | \.\d[\d_]* )(?: [eE][+-]?\d+ )?
      )
    | (?P<word> [^\W\d][\w$]* )
    | (?P<mark> :: | := | [()\[\],;.:] )
    | (?P<operator> [+\-*/<>=~!@\#%^&|`?]+ | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_COMMENT_IN_OPERATOR = re.compile(r"--|/\*")
_KINDS = {
    "escaped": TokenKind.LITERAL,
    "string": TokenKind.LITERAL,
    "dollar": TokenKind.LITERAL,
    "parameter": TokenKind.LITERAL,
    "number": TokenKind.NUMBER,
    "quoted": TokenKind.QUOTED,
    "word": TokenKind.WORD,
    "mark": TokenKind.MARK,
    "operator": TokenKind.OPERATOR,
}


def tokenize(sql: str) -> Iterator[Token]:
    """Yield the tokens of `sql`; an unfinished string or comment reaches to the end."""
    position, spaced = 0, False
    while match := _PATTERN.match(sql, position):
        group = str(match.lastgroup)
        end = match.end()
        if group == "tag":  # the innermost named group of a dollar-quoted string
            group = "dollar"
        if group == "space":
            position, spaced = end, True
            continue
        if group == "comment":
            position, spaced = _comment_end(sql, end), True
            continue
        if group == "dollar":
            close = sql.find(match.group("dollar"), end)
            end = len(sql) if close < 0 else close + len(match.group("dollar"))
        elif group == "operator":
            end = _operator_end(sql, position, end)
        yield Token(_KINDS[group], sql[position:end], spaced, position)
        position, spaced = end, False


def split_statements(sql: str) -> list[str]:
    """Return the statements of `sql`, without empty ones, semicolons or outer white space.

    Semicolons in strings, comments, brackets and SQL-standard function bodies
    (`BEGIN ATOMIC ... END`) part nothing.
    """
    if ";" not in sql:
        return [sql.strip()] if next(tokenize(sql), None) else []
    pieces, first, depth, bodies, before = [], -1, 0, 0, ""
    for token in tokenize(sql):
        if token.text == ";" and token.kind is TokenKind.MARK and depth <= 0 and bodies == 0:
            if first >= 0:
                pieces.append(sql[first : token.start].strip())
            first, depth, before = -1, 0, ""
            continue
        first = token.start if first < 0 else first
        depth += (token.text in "([") - (token.text in ")]") if token.kind is TokenKind.MARK else 0
        bodies = _body_depth(bodies, before, token.word)
        before = token.word
    if first >= 0:
        pieces.append(sql[first:].strip())
    return pieces


def _body_depth(bodies: int, before: str, word: str) -> int:
    """Nesting of `BEGIN ATOMIC` bodies, and of the CASEs in them that also close with END."""
    if (word == "ATOMIC" and before == "BEGIN") or (bodies and word == "CASE"):
        return bodies + 1
    return bodies - 1 if bodies and word == "END" else bodies


def _comment_end(sql: str, position: int) -> int:
    depth = 1
    while depth:
        edge = _COMMENT_EDGE.search(sql, position)
        if edge is None:
            return len(sql)
        depth += 1 if edge.group() == "/*" else -1
        position = edge.end()
    return position


def _operator_end(sql: str, start: int, end: int) -> int:
    """End an operator before a comment, and before a sign that belongs to what follows.

    An operator of several characters may end in + or - only if it holds one of ~ ! @ # % ^ & | ` ?
    (PostgreSQL manual, section 4.1.3).
    """
    comment = _COMMENT_IN_OPERATOR.search(sql, start, end)
    end = comment.start() if comment else end
    while end - start > 1 and sql[end - 1] in "+-" and not set(sql[start:end]) & set("~!@#%^&|`?"):
        end -= 1
    return end
