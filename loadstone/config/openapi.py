"""Requests that only read, from an OpenAPI schema (https://spec.openapis.org/oas/v3.1.0)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from loadstone.errors import ConfigurationError

_PARAMETER = re.compile(r"\{([^{}]+)\}")
DEEPEST = 20
"""References that are followed one after the other."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A GET request that may be sent: its path, and what must be put into it."""

    path: str
    """With `{name}` where a parameter stands."""
    values: tuple[tuple[str, str], ...] = ()
    """What the schema gives as an example for parameters of the path."""
    query: str = ""
    """Required parameters, with examples."""
    missing: tuple[str, ...] = ()
    """Required parameters for which nothing is known."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of what stands in the path."""
        return tuple(_PARAMETER.findall(self.path))

    @property
    def parent(self) -> str:
        """The path up to the last parameter: where ids are listed, if anywhere."""
        return self.path.rpartition("{")[0]


def parse_schema(text: str, source: str) -> dict[str, Any]:
    """Return a schema; raises `ConfigurationError` for what is none, naming `source`."""
    try:
        schema = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(
            f"{source} is no JSON", cause=str(error), remedy="give the schema as JSON, not as YAML"
        ) from error
    if not isinstance(schema, dict) or not isinstance(schema.get("paths"), dict):
        raise ConfigurationError(
            f"{source} is no OpenAPI schema", cause="it has no paths", remedy="name the schema itself"
        )
    return schema


def reading_endpoints(schema: Mapping[str, Any]) -> list[Endpoint]:
    """Return the GET requests of a schema, in its order; deprecated ones are left out."""
    base = _base(schema)
    found = []
    for path, item in schema["paths"].items():
        if isinstance(item, Mapping) and isinstance(item.get("get"), Mapping):
            operation = item["get"]
            if not operation.get("deprecated"):
                given = [*item.get("parameters", ()), *operation.get("parameters", ())]
                found.append(_endpoint(f"{base}{path}", [_resolved(schema, one) for one in given]))
    return found


def _base(schema: Mapping[str, Any]) -> str:
    """Return the path below which the first server has the API."""
    servers = schema.get("servers")
    url = servers[0].get("url", "") if isinstance(servers, list) and servers else ""
    return urlsplit(str(url)).path.rstrip("/") if "{" not in str(url) else ""


def _resolved(schema: Mapping[str, Any], part: Any) -> Mapping[str, Any]:  # noqa: ANN401 - JSON
    """Follow `$ref` within the schema."""
    for _ in range(DEEPEST):
        if not isinstance(part, Mapping) or "$ref" not in part:
            break
        target: Any = schema
        for key in str(part["$ref"]).removeprefix("#/").split("/"):
            target = target.get(key, {}) if isinstance(target, Mapping) else {}
        part = target
    return part if isinstance(part, Mapping) else {}


def _endpoint(path: str, parameters: list[Mapping[str, Any]]) -> Endpoint:
    values: dict[str, str] = {}
    query: dict[str, str] = {}
    missing: list[str] = []
    for one in parameters:
        name, place = str(one.get("name", "")), one.get("in")
        value = next(_examples(one), None)
        if place == "path" and value is not None:
            values[name] = value
        elif place in {"query", "header", "cookie"} and one.get("required"):
            if place == "query" and value is not None:
                query[name] = value
            else:
                missing.append(name)
    return Endpoint(path, tuple(values.items()), urlencode(query), tuple(missing))


def _examples(parameter: Mapping[str, Any]) -> Iterator[str]:
    """Yield values that the schema itself gives, then 1 for whole numbers."""
    schema = parameter.get("schema")
    schema = schema if isinstance(schema, Mapping) else {}
    for place in (parameter, schema):
        if "example" in place:
            yield str(place["example"])
    for key in ("default", "const"):
        if schema.get(key) is not None:
            yield str(schema[key])
    for key in ("enum", "examples"):
        if isinstance(schema.get(key), list) and schema[key]:
            yield str(schema[key][0])
    if schema.get("type") == "integer":
        yield str(schema.get("minimum", 1))
