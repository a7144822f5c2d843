"""One start of an app to find out what it answers: health, its OpenAPI schema, which requests are good."""

from __future__ import annotations

import http.client
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from loadstone.config.model import ANY_ANSWER, Variant
from loadstone.config.openapi import Endpoint, parse_schema, reading_endpoints
from loadstone.errors import ConfigurationError, TargetError
from loadstone.target.preparation import Progress
from loadstone.target.stage import Stage

HEALTH = ("/health", "/healthz", "/health/", "/healthz/", "/ping", "/", "/openapi.json", "/docs")
SCHEMAS = (
    "/openapi.json",
    "/swagger.json",
    "/api/openapi.json",
    "/api/schema/?format=json",
    "/api/schema?format=json",
    "/schema/?format=openapi-json",
)
TIMEOUT_S = 15.0
MOST_BYTES = 5_000_000
MOST_TRIED = 60
GOOD = range(200, 400)
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_REDIRECTS = 8
LISTS = ("results", "items", "data", "objects", "content")
"""Keys under which an answer may hold its list."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A request that was sent, or why it was not."""

    endpoint: Endpoint
    target: str
    """The path as it was sent; empty where nothing could be sent."""
    says: str
    """`200`, or why not."""
    good: bool
    listed: bool = False
    """Whether the answer lists ids."""
    source: str = ""
    """The path that lists the ids which stand in this one."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What one start of the app told."""

    health: str
    tried: tuple[Tried, ...]


def try_out(
    variant: Variant,
    state: Path,
    *,
    endpoints: Sequence[Endpoint],
    schema: str | None,
    health: str | None,
    progress: Progress,
) -> Findings:
    """Start the app once and ask it.

    Args:
        variant: how it is started.
        state: the project's state folder.
        endpoints: what is known already; empty: as its schema says, if it has one.
        schema: path of its OpenAPI schema; None: where such schemas often are.
        health: its health path; None: the first that answers 200 of those that often do.
        progress: told of each step.

    Raises:
        TargetError: it does not start, or nothing answers 200.
        ConfigurationError: the schema that was named is none.
    """
    with Stage(state, slots=1) as stage:
        stage.prepare([variant], progress=progress)
        started = replace(variant, health_path=health or ANY_ANSWER)
        with stage.generation([(started, 0)]) as running:
            port = int(running[variant.name].base_url.rpartition(":")[2])
            progress("asking it what it answers", None)
            known = list(endpoints) or _from_schema(port, schema)
            found = health or _healthy(port, known)
            return Findings(found, tuple(_try_all(port, known or [Endpoint(found)])))


def _healthy(port: int, known: Sequence[Endpoint]) -> str:
    for path in (*HEALTH, *(one.path for one in known if not one.parameters)):
        if _ask(port, path)[0] == http.client.OK:
            return path
    raise TargetError(
        "the app answers, but nothing of it with 200",
        cause=f"asked were {', '.join(HEALTH)}",
        remedy="name a path that answers 200 once it is ready, with --health",
    )


def _from_schema(port: int, named: str | None) -> list[Endpoint]:
    for path in (named,) if named else SCHEMAS:
        status, body = _ask(port, path)
        if status == http.client.OK:
            try:
                return reading_endpoints(parse_schema(body.decode("utf-8", errors="replace"), path))
            except ConfigurationError:
                if named:
                    raise
        elif named:
            raise ConfigurationError(f"{path} answers {status}", remedy="name another path with --openapi")
    return []


def _try_all(port: int, endpoints: Sequence[Endpoint]) -> list[Tried]:
    """Try paths without parameters first: they may list the ids that others need."""
    ids: dict[str, str] = {}
    found: dict[str, Tried] = {}
    for one in sorted(endpoints, key=lambda each: len(each.parameters))[:MOST_TRIED]:
        found[one.path] = _try(port, one, ids)
    return [found[one.path] for one in endpoints if one.path in found]


def _try(port: int, one: Endpoint, ids: dict[str, str]) -> Tried:
    if one.missing:
        return Tried(one, "", f"needs {', '.join(one.missing)}", good=False)
    values = dict(one.values)
    source = ""
    if len(one.parameters) == 1:
        source = next((path for path in (one.parent, one.parent.rstrip("/")) if path in ids), "")
    for name in one.parameters:
        values[name] = ids[source] if source else values.get(name, "1")
    target = one.path
    for name in one.parameters:
        target = target.replace(f"{{{name}}}", values[name])
    target += f"?{one.query}" if one.query else ""
    status, body = _follow(port, target)
    good, says = status in GOOD, str(status or "no answer")
    if good and _follow(port, target)[1] != body:
        good, says = False, f"{status}, and something else each time (a token, the time)"
    listed = _first_id(body) if good and status == http.client.OK and not one.parameters else None
    if listed is not None:
        ids[one.path] = listed
    return Tried(one, target, says, good, listed is not None, source)


def _first_id(body: bytes) -> str | None:
    """Return the id of the first thing that an answer lists."""
    try:
        told: Any = json.loads(body)
    except ValueError:
        return None
    if isinstance(told, dict):
        told = next((told[key] for key in LISTS if isinstance(told.get(key), list)), None)
    first = told[0] if isinstance(told, list) and told else None
    value = first.get("id") if isinstance(first, dict) else None
    return str(value) if isinstance(value, int | str) else None


def _follow(port: int, path: str) -> tuple[int, bytes]:
    """Return status and body of what a visitor ends at, who follows redirects within the app."""
    for _ in range(MOST_REDIRECTS):
        status, body, location = _answer(port, path)
        at = urlsplit(urljoin(f"http://127.0.0.1:{port}{path}", location))
        if status not in REDIRECTS or not location or at.netloc != f"127.0.0.1:{port}":
            return status, body
        path = at._replace(scheme="", netloc="", fragment="").geturl() or "/"
    return 0, b""


def _ask(port: int, path: str) -> tuple[int, bytes]:
    """Return status and body; 0 where there was no answer."""
    return _answer(port, path)[:2]


def _answer(port: int, path: str) -> tuple[int, bytes, str]:
    """Return status, body and where a redirect leads; 0 where there was no answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", path, headers={"Connection": "close", "Accept": "application/json, */*"})
        answer = connection.getresponse()
        return answer.status, answer.read(MOST_BYTES), answer.getheader("Location", "")
    except (OSError, http.client.HTTPException, ValueError):
        return 0, b"", ""
    finally:
        connection.close()
