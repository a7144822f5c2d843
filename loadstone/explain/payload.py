"""Do two variants return the same thing? Responses compared beyond what rules allow to differ."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from loadstone.config.model import PayloadRule
from loadstone.explain.content import NOT_JSON, decode_body, media_type, parse_json, text_of
from loadstone.explain.json_diff import apply_rules, first_difference
from loadstone.explain.text_diff import Difference, bytes_difference, text_difference
from loadstone.record.probed import PayloadCheck, PayloadDifference
from loadstone.secrecy import HIDDEN, clean

BASE = b"{base}"
KEPT_PER_ENDPOINT = 5
KEPT_IN_ALL = 50
OK, NOT_MODIFIED = 200, 304


@dataclass(frozen=True, slots=True)
class Response:
    """What one variant answered."""

    status: int
    content_type: str
    body: bytes
    base_url: str = ""
    """The variant's own; it is the same as the other's wherever it occurs in the body."""
    content_encoding: str = ""
    """`gzip`, `br`, ...; a body that is no such thing is taken as decoded already."""
    broken: str = ""
    """How the answer broke off; empty where it came to its end."""


def compare(
    before: Response,
    after: Response,
    rules: Sequence[PayloadRule] = (),
    *,
    endpoint: str = "",
    request: str = "",
) -> PayloadDifference | None:
    """Return the first difference between two responses that no rule allows, or None.

    Both must have come to their end, or to none in the same way; status and media type
    must agree (its parameters may differ). JSON is compared by
    structure: the order of object keys is free, that of lists matters, numbers are
    equal when their exact values are (`1`, `1.0` and `1e0`; never `1` and `true`).
    Other text is compared by line, the rest by byte.
    """
    difference = _compare(before, after, rules)
    if difference is None:
        return None
    return PayloadDifference(
        endpoint=endpoint,
        request=request,
        path=difference.path,
        before=difference.before,
        after=difference.after,
        diff=difference.diff,
    )


class PayloadChecker:
    """Compares pair after pair and keeps the first few differences of each endpoint."""

    def __init__(self, rules: Sequence[PayloadRule] = ()) -> None:
        self._rules = tuple(rules)
        self._checked = 0
        self._equal = 0
        self._differences: list[PayloadDifference] = []
        self._kept: Counter[str] = Counter()

    def add(self, endpoint: str, request: str, before: Response, after: Response) -> PayloadDifference | None:
        """Compare one pair of responses and return how they differ, if they do."""
        difference = compare(before, after, self._rules, endpoint=endpoint, request=request)
        self._checked += 1
        self._equal += difference is None
        if difference is not None and self._has_room(endpoint):
            self._kept[endpoint] += 1
            self._differences.append(difference)
        return difference

    def result(self) -> PayloadCheck:
        """Return the counts of all pairs and the differences that were kept."""
        return PayloadCheck(
            checked=self._checked,
            equal=self._equal,
            rules=[describe(rule) for rule in self._rules],
            differences=list(self._differences),
        )

    def _has_room(self, endpoint: str) -> bool:
        return len(self._differences) < KEPT_IN_ALL and self._kept[endpoint] < KEPT_PER_ENDPOINT


def describe(rule: PayloadRule) -> str:
    """Return a rule's name and, in words, what it allows."""
    allowed = []
    if rule.ignore:
        allowed.append("ignores " + ", ".join(f"`{key}`" for key in rule.ignore))
    if rule.unwrap is not None:
        allowed.append(f"takes `{rule.unwrap}` for the whole")
    if rule.common_prefix:
        allowed.append("compares top-level lists over the shorter one's length")
    if rule.not_modified:
        allowed.append("takes 304 for the 200 that the client has kept")
    return f"{rule.name}: {'; '.join(allowed) or 'allows nothing'}"


def _compare(before: Response, after: Response, rules: Sequence[PayloadRule]) -> Difference | None:
    if any(rule.not_modified for rule in rules) and _spared(before, after):
        return None
    types = media_type(before.content_type), media_type(after.content_type)
    if before.status != after.status:
        return Difference("status", str(before.status), str(after.status))
    if before.broken != after.broken:
        return Difference("answer", before.broken or "whole", after.broken or "whole")
    if types[0] != types[1]:
        return Difference("content-type", before.content_type or "(none)", after.content_type or "(none)")
    return _compare_bodies(before, after, types, rules)


def _compare_bodies(
    before: Response, after: Response, types: tuple[str, str], rules: Sequence[PayloadRule]
) -> Difference | None:
    bodies = _neutral_body(before), _neutral_body(after)
    if bodies[0] == bodies[1]:
        return None
    values = parse_json(bodies[0], types[0]), parse_json(bodies[1], types[1])
    if values[0] is not NOT_JSON and values[1] is not NOT_JSON:
        try:
            return first_difference(*apply_rules(*values, rules))
        except RecursionError:
            pass  # nested deeper than Python can follow: compared as text
    one = text_of(bodies[0], types[0], before.content_type)
    other = text_of(bodies[1], types[1], after.content_type)
    if one is None or other is None:
        return bytes_difference(*bodies)
    shown = text_difference(clean(one), clean(other))
    if shown is None and (hidden := text_difference(one, other)) is not None:
        return Difference(hidden.path, HIDDEN, HIDDEN)  # they differ in nothing but secrets
    return shown or bytes_difference(*bodies)


def _spared(before: Response, after: Response) -> bool:
    """Tell whether one side was told that it has the answer already, and the other was sent it."""
    spared, sent = sorted((before, after), key=lambda one: one.status, reverse=True)
    return (spared.status, sent.status) == (NOT_MODIFIED, OK) and not spared.body


def _neutral_body(response: Response) -> bytes:
    """Return the decoded body with the variant's own base URL as `{base}`, however it is spelled."""
    body = decode_body(response.body, response.content_encoding)
    base = response.base_url.rstrip("/")
    return _base_pattern(base).sub(BASE, body) if base else body


@lru_cache(maxsize=16)
def _base_pattern(base: str) -> re.Pattern[bytes]:
    spellings = {base, base.replace("/", "\\/"), quote(base, safe=""), quote(base, safe="/")}
    alternatives = b"|".join(re.escape(spelling.encode()) for spelling in sorted(spellings))
    # A longer port or host name that begins alike is another address.
    return re.compile(b"(?:" + alternatives + rb")(?![0-9A-Za-z_-]|\.[0-9A-Za-z])", re.IGNORECASE)
