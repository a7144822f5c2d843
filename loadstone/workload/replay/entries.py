"""One recorded request, what is left out of it, and the name of its endpoint."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec

from loadstone.errors import ConfigurationError
from loadstone.secrecy import is_secret_name

MOST_ENTRIES = 1_000_000
MOST_BYTES = 1 << 30
REMOVED = "REMOVED"
_OWN_HEADERS = frozenset(
    {"host", "content-length", "connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade",
     "proxy-connection", "accept-encoding", "expect"}
)  # fmt: skip
"""Those that a client sets by itself."""
_METHOD = re.compile(r"[A-Z]{1,20}")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VARIABLE = re.compile(
    r"\d+|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|[0-9a-fA-F]{16,}"
)
_BREAK = re.compile(r"[\r\n\0]")
_FORM = "application/x-www-form-urlencoded"


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One request of the data file."""

    at: float
    """Seconds since the first one."""
    method: str
    path: str
    """With its query."""
    name: str
    headers: dict[str, str] = {}
    body: str = ""


@dataclass(slots=True)
class Taken:
    """What was read, and what was left out of it by which reason."""

    entries: list[Entry] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    host: str = ""


@dataclass(frozen=True, slots=True)
class Raw:
    """A request as a file has it."""

    where: str
    """Such as `entry 3` or `line 17`."""
    time_s: float
    method: str
    url: str
    """Absolute, or a path."""
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""


def take(raws: Iterable[Raw], *, host: str | None = None, secrets: bool = False) -> Taken:
    """Return what can be replayed, in the order of time.

    Args:
        raws: requests in any order.
        host: of absolute URLs, with its port where it has one; None: the most frequent one.
        secrets: keep cookies, authorization and fields with telling names.

    Raises:
        ConfigurationError: a request is none, or nothing is left.
    """
    given = list(raws)
    hosts = Counter(urlsplit(raw.url).netloc.rpartition("@")[2] for raw in given if "://" in raw.url)
    taken = Taken(host=host or (hosts.most_common(1)[0][0] if hosts else ""))
    kept = [raw for raw in given if "://" not in raw.url or _host(raw) == taken.host]
    taken.left_out["of other hosts"] += len(given) - len(kept)
    if not kept:
        known = ", ".join(name for name, _ in hosts.most_common(5)) or "none"
        raise ConfigurationError(
            "no request is left to replay", cause=f"hosts: {known}", remedy="name one with --host"
        )
    kept.sort(key=lambda raw: raw.time_s)
    zero = kept[0].time_s
    taken.entries = [_entry(raw, zero, taken.left_out, secrets=secrets) for raw in kept]
    return taken


def endpoint_name(path: str) -> str:
    """Return a path without its query, its numbers and identifiers replaced: `/products/{id}`."""
    parts = urlsplit(path).path.split("/")
    return "/".join("{id}" if _VARIABLE.fullmatch(part) else part for part in parts) or "/"


def _host(raw: Raw) -> str:
    return urlsplit(raw.url).netloc.rpartition("@")[2]


def _entry(raw: Raw, zero: float, left_out: Counter[str], *, secrets: bool) -> Entry:
    method = raw.method.upper()
    if not _METHOD.fullmatch(method):
        raise _bad(raw, f"{raw.method[:40]!r} is no method")
    path = _path(raw, left_out, secrets=secrets)
    headers = _headers(raw, left_out, secrets=secrets)
    kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    body = raw.body if secrets else _without_secrets(raw.body, kind, left_out)
    return Entry(
        at=round(raw.time_s - zero, 6),
        method=method,
        path=path,
        name=endpoint_name(path),
        headers=headers,
        body=body,
    )


def _path(raw: Raw, left_out: Counter[str], *, secrets: bool) -> str:
    try:
        parts = urlsplit(raw.url)
    except ValueError as error:
        raise _bad(raw, f"{raw.url[:80]!r} is no URL") from error
    if parts.scheme not in {"", "http", "https"} or _BREAK.search(raw.url) or " " in raw.url:
        raise _bad(raw, f"{raw.url[:80]!r} is no URL of HTTP")
    path = parts.path or "/"
    if not path.startswith("/"):
        raise _bad(raw, f"the path {path[:80]!r} does not begin with /")
    if not parts.query:
        return path
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    hidden = [] if secrets else [name for name, value in pairs if value and is_secret_name(name)]
    if not hidden:
        return f"{path}?{parts.query}"
    left_out["secret parameters"] += len(hidden)
    return f"{path}?{urlencode([(name, REMOVED if name in hidden else value) for name, value in pairs])}"


def _headers(raw: Raw, left_out: Counter[str], *, secrets: bool) -> dict[str, str]:
    kept: dict[str, str] = {}
    for name, value in raw.headers:
        lower = name.lower()
        if name.startswith(":") or lower in _OWN_HEADERS:
            continue
        if not _HEADER.fullmatch(name) or _BREAK.search(value):
            raise _bad(raw, f"the header {name[:40]!r} is none")
        if not secrets and is_secret_name(name):
            left_out["secret headers"] += 1
            continue
        kept[name] = value
    return kept


def _without_secrets(body: str, kind: str, left_out: Counter[str]) -> str:
    """Return a body in which fields with telling names hold no value."""
    if kind.startswith(_FORM):
        pairs = parse_qsl(body, keep_blank_values=True)
        hidden = sum(is_secret_name(name) for name, _ in pairs)
        left_out["secret fields"] += hidden
        clean = [(name, REMOVED if is_secret_name(name) else value) for name, value in pairs]
        return urlencode(clean) if hidden else body
    if "json" not in kind and not body.lstrip().startswith(("{", "[")):
        return body
    try:
        tree = json.loads(body)
        before = left_out["secret fields"]
        clean_tree = _blanked(tree, left_out)
        return json.dumps(clean_tree) if left_out["secret fields"] > before else body
    except (ValueError, RecursionError):
        return body


def _blanked(tree: Any, left_out: Counter[str]) -> Any:  # noqa: ANN401 - JSON may be anything
    if isinstance(tree, Mapping):
        found = {}
        for name, value in tree.items():
            secret = is_secret_name(name) and isinstance(value, str | int)
            left_out["secret fields"] += secret
            found[name] = REMOVED if secret else _blanked(value, left_out)
        return found
    return [_blanked(each, left_out) for each in tree] if isinstance(tree, list) else tree


def _bad(raw: Raw, problem: str) -> ConfigurationError:
    return ConfigurationError(
        f"{raw.where} cannot be replayed: {problem}",
        cause=raw.where,
        remedy="take it out of the file, or record anew",
    )
