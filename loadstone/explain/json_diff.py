"""The first place where two JSON values differ."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from loadstone.config.model import PayloadRule
from loadstone.explain.content import Constant
from loadstone.explain.text_diff import Difference, shorten, unified
from loadstone.secrecy import HIDDEN, clean, is_secret_name

ABSENT = "(absent)"
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_MARKED = re.compile(r'"\\u0000([^"]*)"')


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """Two values to compare, and where they stand; the path is written only if it is needed."""

    before: Any
    after: Any
    step: str | int = ""
    around: _Place | None = None


def apply_rules(before: Any, after: Any, rules: Sequence[PayloadRule]) -> tuple[Any, Any]:  # noqa: ANN401 - JSON may be anything
    """Return both values with everything taken away that the rules allow to differ.

    An empty list is never a prefix: rows on one side and none on the other remain a difference.
    """
    ignored = frozenset(key for rule in rules for key in rule.ignore)
    for rule in rules:
        if rule.unwrap is not None:
            before, after = _unwrap(before, rule.unwrap), _unwrap(after, rule.unwrap)
    lists = isinstance(before, list) and isinstance(after, list)
    if lists and before and after and any(rule.common_prefix for rule in rules):
        length = min(len(before), len(after))
        before, after = before[:length], after[:length]
    if ignored:
        before, after = _without(before, ignored), _without(after, ignored)
    return before, after


def first_difference(before: Any, after: Any) -> Difference | None:  # noqa: ANN401 - as above
    """Return the first difference in document order of `before`, or None.

    Lists of unlike length differ as wholes; an object key that one side lacks is
    reported at its own path.
    """
    places = [_Place(before, after)]
    while places:
        place = places.pop()
        one, other = place.before, place.after
        if isinstance(one, dict) and isinstance(other, dict):
            if one.keys() != other.keys():
                return _missing_key(place)
            places += [
                _Place(one[key], other[key], key, place)
                for key in reversed(one)
                if _may_differ(one[key], other[key])
            ]
        elif isinstance(one, list) and isinstance(other, list):
            if len(one) != len(other):
                return _describe(place, f"{len(one)} items", f"{len(other)} items")
            places += [
                _Place(one[index], other[index], index, place)
                for index in range(len(one) - 1, -1, -1)
                if _may_differ(one[index], other[index])
            ]
        elif not _same_scalar(one, other):
            return _describe(place, _write(one), _write(other))
    return None


def _may_differ(one: Any, other: Any) -> bool:  # noqa: ANN401 - as above
    return one is not other and (isinstance(one, dict | list) or not _same_scalar(one, other))


def _same_scalar(one: Any, other: Any) -> bool:  # noqa: ANN401 - as above
    if type(one) is type(other):
        return bool(one == other)
    return type(one) in {int, Decimal} and type(other) in {int, Decimal} and bool(one == other)


def _missing_key(place: _Place) -> Difference:
    one, other = place.before, place.after
    key = next((key for key in one if key not in other), None)
    if key is None:
        key = next(key for key in other if key not in one)
        return _describe(_Place(None, None, key, place), ABSENT, _write(other[key]))
    return _describe(_Place(None, None, key, place), _write(one[key]), ABSENT)


def _describe(place: _Place, before: str, after: str) -> Difference:
    if _is_secret(place):
        return Difference(_path(place), HIDDEN, HIDDEN)
    around = place.around if place.around is not None else place
    if isinstance(place.before, list) and isinstance(place.after, list):
        around = place
    diff = unified(_lines(around.before), _lines(around.after))
    return Difference(_path(place), shorten(before), shorten(after), diff)


def _is_secret(place: _Place | None) -> bool:
    while place is not None:
        if isinstance(place.step, str) and is_secret_name(place.step):
            return True
        place = place.around
    return False


def _path(place: _Place | None) -> str:
    steps = []
    while place is not None and place.around is not None:
        step = place.step
        if isinstance(step, int):
            steps.append(f"[{step}]")
        else:
            steps.append(
                f".{step}" if _PLAIN_KEY.match(step) else f"[{json.dumps(step, ensure_ascii=False)}]"
            )
        place = place.around
    return "$" + "".join(reversed(steps))


def _unwrap(value: Any, key: str) -> Any:  # noqa: ANN401 - as above
    return value[key] if isinstance(value, dict) and key in value else value


def _without(value: Any, ignored: frozenset[str]) -> Any:  # noqa: ANN401 - as above
    """Copy a value without the ignored keys. The parser bounds the depth of nesting."""
    if isinstance(value, dict):
        return {key: _without(part, ignored) for key, part in value.items() if key not in ignored}
    if isinstance(value, list):
        return [_without(part, ignored) for part in value]
    return value


def _lines(value: Any) -> list[str]:  # noqa: ANN401 - as above
    return _unquote(json.dumps(_writable(value), indent=2, sort_keys=True, ensure_ascii=False)).splitlines()


def _write(value: Any) -> str:  # noqa: ANN401 - as above
    return _unquote(json.dumps(_writable(value), ensure_ascii=False))


def _writable(value: Any) -> Any:  # noqa: ANN401 - as above
    """Replace what `json` would not write as it was read by marked strings, and secrets by dots."""
    if isinstance(value, dict):
        return {key: HIDDEN if is_secret_name(key) else _writable(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_writable(part) for part in value]
    if isinstance(value, Decimal | Constant):
        return f"\0{value}"
    return clean(value) if isinstance(value, str) else value


def _unquote(text: str) -> str:
    """Take the quotes off marked strings."""
    return _MARKED.sub(r"\1", text)
