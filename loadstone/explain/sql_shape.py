"""The shape of an SQL text: what is left when its values are taken out."""

from __future__ import annotations

import re
from collections.abc import Iterable

from loadstone.explain.sql_tokens import Token, TokenKind, tokenize
from loadstone.explain.words import words

LITERAL = "?"

_NAMING = words("CLOSE DEALLOCATE EXECUTE FETCH MOVE RELEASE ROLLBACK SAVEPOINT")
"""Statements that hold no names but those that drivers make up (cursors, savepoints, prepared statements)."""
_DECLARING = words("DECLARE PREPARE")
"""Statements whose second word is such a name."""
_VALUE_WORDS = words("FALSE NULL TRUE")
_SIGN_MAY_FOLLOW = words(
    "AND BETWEEN BY CASE ELSE IN IS LIKE LIMIT NOT OFFSET OR RETURNING SELECT THEN VALUES WHEN WHERE"
)
_BRACKET_STANDS_APART = words(
    "ALL AND ANY AS BETWEEN BY CASE DISTINCT ELSE EXCEPT EXISTS FILTER FROM HAVING IN INTERSECT JOIN LATERAL"
    " LIKE NOT ON OR OVER RETURNING SELECT SOME THEN UNION USING VALUES WHEN WHERE"
)
_NO_SPACE_BEFORE = frozenset([")", "]", "[", ",", ";", ".", "::", ":"])
_NO_SPACE_AFTER = frozenset(["(", "[", ".", "::", ":"])
_DIGITS = re.compile(r"\d+")


def simplify(sql: str) -> list[Token]:
    """Return the tokens of `sql` with values replaced and lists of equal items collapsed."""
    tokens = _collapse(_mask_names(_without_values(tokenize(sql))))
    while tokens and tokens[-1].text == ";":
        tokens.pop()
    return tokens


def join(tokens: Iterable[Token]) -> str:
    """Write tokens with one spelling of white space."""
    parts: list[str] = []
    before: Token | None = None
    for token in tokens:
        if before is not None and _stands_apart(before, token):
            parts.append(" ")
        parts.append(token.text)
        before = token
    return "".join(parts)


def _without_values(tokens: Iterable[Token]) -> list[Token]:
    out: list[Token] = []
    for token in tokens:
        before = out[-1] if out else None
        if token.kind is TokenKind.LITERAL and before is not None and before.kind is TokenKind.LITERAL:
            continue  # a string continued on the next line
        if token.kind is TokenKind.NUMBER and _is_sign(out):
            out.pop()
        if token.kind in {TokenKind.LITERAL, TokenKind.NUMBER} or _is_value_word(token, before):
            out.append(token._replace(kind=TokenKind.LITERAL, text=LITERAL))
        else:
            out.append(token)
    return out


def _is_value_word(token: Token, before: Token | None) -> bool:
    return token.word in _VALUE_WORDS and (before is None or before.word not in {"IS", "NOT"})


def _is_sign(out: list[Token]) -> bool:
    """Whether the last token is a sign, and not an operator between two operands."""
    if not out or out[-1].text not in {"-", "+"} or out[-1].kind is not TokenKind.OPERATOR:
        return False
    if len(out) == 1:
        return True
    before = out[-2]
    if before.kind is TokenKind.MARK:
        return before.text not in {")", "]"}
    # A question mark may be a literal of a text that is already normalised.
    return before.word in _SIGN_MAY_FOLLOW or (before.kind is TokenKind.OPERATOR and before.text != LITERAL)


def _mask_names(tokens: list[Token]) -> list[Token]:
    verb = tokens[0].word if tokens else ""
    if verb not in _NAMING | _DECLARING:
        return tokens
    last = len(tokens) if verb in _NAMING else 2
    return [
        token._replace(text=_DIGITS.sub("0", token.text))
        if index < last and token.kind in {TokenKind.WORD, TokenKind.QUOTED}
        else token
        for index, token in enumerate(tokens)
    ]


def _collapse(tokens: list[Token]) -> list[Token]:
    """Keep one of equal items in `IN (...)` and `[...]`, and one of equal rows after VALUES."""
    out: list[Token] = []
    opened: list[int] = []
    rows: dict[int, tuple[int, int]] = {}
    """Per nesting depth: where the last row after VALUES begins and ends in `out`."""
    for token in tokens:
        out.append(token)
        if token.kind is not TokenKind.MARK:
            continue
        if token.text in {"(", "["}:
            opened.append(len(out) - 1)
        elif token.text in {")", "]"} and opened:
            _close(out, opened.pop(), rows, len(opened))
    return out


def _close(out: list[Token], start: int, rows: dict[int, tuple[int, int]], depth: int) -> None:
    before = out[start - 1] if start else None
    if out[start].text == "[" or (before is not None and before.word == "IN"):
        out[start + 1 : -1] = _one_of_equal(out[start + 1 : -1])
    if before is None:
        return
    if before.word == "VALUES":
        rows[depth] = (start, len(out))
        return
    row = rows.get(depth)
    if row is None or before.text != "," or row[1] != start - 1:
        return
    if _texts(out[row[0] : row[1]]) == _texts(out[start:]):
        del out[start - 1 :]
    else:
        rows[depth] = (start, len(out))


def _one_of_equal(items: list[Token]) -> list[Token]:
    """Return the first of comma-separated items when all are equal, else all."""
    depth, parts = 0, [[]]  # type: tuple[int, list[list[Token]]]
    for token in items:
        if token.kind is TokenKind.MARK:
            depth += (token.text in {"(", "["}) - (token.text in {")", "]"})
            if token.text == "," and depth == 0:
                parts.append([])
                continue
        parts[-1].append(token)
    first = _texts(parts[0])
    return parts[0] if all(_texts(part) == first for part in parts) else items


def _texts(tokens: list[Token]) -> list[str]:
    return [token.text for token in tokens]


def _stands_apart(before: Token, token: Token) -> bool:
    if before.text[-1] == ":" and token.text[0] in ":=":
        return True  # together they would be another token
    if token.kind is TokenKind.MARK and token.text in _NO_SPACE_BEFORE:
        return False
    if before.kind is TokenKind.MARK and before.text in _NO_SPACE_AFTER:
        return False
    if token.text != "(":
        return True
    operand = before.kind in {TokenKind.OPERATOR, TokenKind.LITERAL}
    return operand or before.word in _BRACKET_STANDS_APART or before.text == "," or token.spaced
