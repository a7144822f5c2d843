"""Payloads compared under the rules that the toggles declare."""

import tomllib

from core.toggles import DECLARATION

RULES = tomllib.loads(DECLARATION.read_text())["rules"]


def same(left, right, rule_names):
    """Tell whether two payloads are equal, but for what the rules allow."""
    rules = [RULES[name] for name in rule_names]
    for rule in rules:
        left, right = _unwrap(left, rule), _unwrap(right, rule)
        if rule.get("common_prefix") and isinstance(left, list) and isinstance(right, list):
            length = min(len(left), len(right))
            left, right = left[:length], right[:length]
    ignored = {key for rule in rules for key in rule.get("ignore", [])}
    return _without(left, ignored) == _without(right, ignored)


def _unwrap(payload, rule):
    key = rule.get("unwrap")
    return payload[key] if key and isinstance(payload, dict) and key in payload else payload


def _without(payload, keys):
    if isinstance(payload, dict):
        return {key: _without(value, keys) for key, value in payload.items() if key not in keys}
    return [_without(each, keys) for each in payload] if isinstance(payload, list) else payload
